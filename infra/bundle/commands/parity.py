"""`make parity`: every two environments but the sandbox, or the two in the variables A and B."""

import os
from datetime import date
from itertools import combinations

from ..parity.check import Parity
from ..parity.check import parity as compare
from ..parity.text import text, verdict
from ..settings.load import environments
from ..settings.marks import SANDBOX
from .errors import CommandError


def parity() -> None:
    """Print what differs and why, of all or of two. Raises CommandError if anything is to mend."""
    one, other = os.environ.get("A", ""), os.environ.get("B", "")
    if bool(one) != bool(other) or (one and one == other):
        raise CommandError("name two environments, A=dev B=prod, or none for all of them")
    pairs = [(one, other)] if one else all_pairs()
    found = [compare(*pair, date.today()) for pair in pairs]
    print("\n\n".join(map(text, found)))
    _judge(found)


def parity_of_all() -> None:
    """The verdicts alone, as long as all is well. Raises CommandError as above."""
    found = [compare(*pair, date.today()) for pair in all_pairs()]
    print("\n".join(verdict(one) if one.ok else text(one) for one in found))
    _judge(found)


def all_pairs() -> list[tuple[str, str]]:
    """Every two environments; the sandbox is one of stand-ins and like none of them."""
    return list(combinations((name for name in environments() if name != SANDBOX), 2))


def _judge(found: list[Parity]) -> None:
    if not all(pair.ok for pair in found):
        raise CommandError("environments are not alike (above); see docs/environments.md")
