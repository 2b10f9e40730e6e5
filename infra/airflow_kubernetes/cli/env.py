"""`make env`: a new environment, NAME, that begins as FROM is."""

import argparse

import yaml

from ..parity.environment import create


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The new environment and its source."""
    parser.add_argument("name", metavar="NAME", nargs="?", default="", help="the new environment")
    parser.add_argument(
        "--from", dest="source", metavar="ENVIRONMENT", default="", help="the one to copy"
    )


def run(arguments: argparse.Namespace) -> None:
    """Make it."""
    env(arguments.name, arguments.source)


def env(name: str, source: str) -> None:
    """Write the new environment's files; print what hardly fits both. Raises SettingsError."""
    doubts = create(name, source)
    print(f"made values/{name}.yaml and Pulumi.{name}.yaml: the same as {source} so far")
    print("look at these:")
    for one in doubts:
        value = yaml.safe_dump(one.value, default_flow_style=True, width=1000)
        print(f"  {one.place}: {one.what}: {value.splitlines()[0]}")
    print(f"then: make check, make parity A={source} B={name}, make up ENV={name}")
