"""`make local-down`: stop what `make local-up` started."""

import argparse

from .local import local_down


def add_arguments(_: argparse.ArgumentParser) -> None:
    """None: there is one on a machine."""


def run(_: argparse.Namespace) -> None:
    """Stop it."""
    local_down()
