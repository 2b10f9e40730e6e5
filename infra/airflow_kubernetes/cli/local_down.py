"""`make local-down`: stop what `make local-up` started."""

import argparse

from .local import local_down


def add_arguments(_: argparse.ArgumentParser) -> None:
    """This command has no arguments."""


def run(_: argparse.Namespace) -> None:
    """Stop it."""
    local_down()
