"""`make parity`: every two environments but the sandbox, or two that are named."""

import argparse
from collections.abc import Sequence
from datetime import date

from ..errors import CommandError
from ..parity.check import Parity, alike
from ..parity.check import parity as compare
from ..parity.text import text, verdict
from ..settings.load import environments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two environments, or none for all of them."""
    parser.add_argument(
        "environments",
        metavar="ENVIRONMENT",
        nargs="*",
        help="two of them; by default all but the sandbox",
    )


def run(arguments: argparse.Namespace) -> None:
    """Compare them."""
    parity(arguments.environments)


def parity(names: Sequence[str]) -> None:
    """Print what differs and why, of all or of two. Raises CommandError if anything is to mend."""
    if len(names) not in (0, 2) or len(set(names)) != len(names):
        raise CommandError("name two environments, A=dev B=prod, or none for all of them")
    pairs = [(names[0], names[1])] if names else alike(environments())
    found = [compare(*pair, date.today()) for pair in pairs]
    print("\n\n".join(map(text, found)))
    _judge(found)


def parity_of_all() -> None:
    """The verdicts alone, as long as all is well. Raises CommandError as above."""
    found = [compare(*pair, date.today()) for pair in alike(environments())]
    print("\n".join(verdict(one) if one.ok else text(one) for one in found))
    _judge(found)


def _judge(found: list[Parity]) -> None:
    if not all(pair.ok for pair in found):
        raise CommandError("environments are not alike (above); see docs/environments.md")
