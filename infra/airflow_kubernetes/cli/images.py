"""`make images`: build and push the images of an environment, and write the lock."""

import argparse

from ..errors import CommandError
from . import build
from .target import Target
from .target import add_arguments as add_arguments


def run(arguments: argparse.Namespace) -> None:
    """Build what the registry lacks. Raises CommandError where the environment builds nothing."""
    target = Target.load(arguments.environment, arguments.set)
    if not target.settings.images.build:
        raise CommandError(
            f"{target.environment} builds no images (images.build is false): run make images for "
            "an environment that does, or copy its images with make promote"
        )
    build.ensure(target.settings, print)
