"""`make render`: the Kubernetes objects of an environment as YAML."""

import argparse

import yaml

from ..render import objects
from .target import Target
from .target import add_arguments as add_arguments


def run(arguments: argparse.Namespace) -> None:
    """Print every object, Secrets with placeholders."""
    target = Target.load(arguments.environment, arguments.set, read_only=True)
    print(yaml.safe_dump_all(objects(target.environment, target.overrides), sort_keys=True), end="")
