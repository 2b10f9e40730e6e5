"""`make promote TO=prod`: copy the images of one environment into another one's registry."""

import argparse
import time

from ..console import say
from ..environment import load
from ..errors import CommandError
from ..images import buildx, lock
from .target import Target
from .target import add_arguments as add_target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment to copy from, and the one to copy to."""
    add_target(parser)
    parser.add_argument(
        "--to", default="", metavar="ENVIRONMENT", help="the one whose registry gets the images"
    )


def run(arguments: argparse.Namespace) -> None:
    """Copy the images."""
    promote(Target.load(arguments.environment, arguments.set), arguments.to)


def promote(source: Target, to: str) -> None:
    """Copy every image of the lock from the registry of `source` to that of the environment `to`.

    Digests stay the same, and with them the lock, which all environments share. Raises
    CommandError, BuildError, RegistryError, LoginError.
    """
    if not to:
        raise CommandError("name the environment to copy to: make promote TO=prod [ENV=dev]")
    destination = load(to)
    file = lock.path(source.settings)
    if lock.path(destination) != file:
        raise CommandError(
            f"images of {source.environment} are stand-ins that {to} may not run (images.lock)"
        )
    entries = lock.read(file).images
    if not entries:
        raise CommandError(
            f"{file.name} names no image; make images ENV={source.environment} first"
        )
    old, new = source.settings.images.registry, destination.images.registry
    if old == new:
        say(f"{to} has the registry of {source.environment}, {new}: nothing to copy")
        return
    started = time.monotonic()
    for number, (name, entry) in enumerate(sorted(entries.items()), 1):
        say(f"{number}/{len(entries)} {name}:{entry.tag}: {old} -> {new}")
        digest = buildx.push_index(f"{new}/{name}:{entry.tag}", [f"{old}/{name}@{entry.digest}"])
        if digest != entry.digest:
            raise CommandError(
                f"{new}/{name}:{entry.tag} is {digest}, and not {entry.digest} as in the lock: the "
                "registry or buildx changed it. Use a newer buildx, or another registry"
            )
    say(f"{new} has all images of {file.name} after {time.monotonic() - started:.0f} s")
