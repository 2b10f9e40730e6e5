"""`make parity`: every two environments but the sandbox, or the two in the variables A and B."""

import os
from datetime import date
from itertools import combinations

from ..parity.check import parity as compare
from ..parity.text import text
from ..settings.load import environments
from ..settings.marks import SANDBOX
from .errors import CommandError


def parity() -> None:
    """Print what differs and why. Raises CommandError if anything is to mend."""
    one, other = os.environ.get("A", ""), os.environ.get("B", "")
    if bool(one) != bool(other) or (one and one == other):
        raise CommandError("name two environments, A=dev B=prod, or none for all of them")
    pairs = [(one, other)] if one else combinations(_real(), 2)
    found = [compare(*pair, date.today()) for pair in pairs]
    print("\n\n".join(map(text, found)))
    if not all(pair.ok for pair in found):
        raise CommandError("environments are not alike (above); see docs/environments.md")


def _real() -> list[str]:
    return [name for name in environments() if name != SANDBOX]
