"""`make parity`: every two environments but the sandbox, or the two in the variables A and B."""

import os
from datetime import date

from ..errors import CommandError
from ..parity.check import Parity, alike
from ..parity.check import parity as compare
from ..parity.text import text, verdict
from ..settings.load import environments


def parity() -> None:
    """Print what differs and why, of all or of two. Raises CommandError if anything is to mend."""
    one, other = os.environ.get("A", ""), os.environ.get("B", "")
    if bool(one) != bool(other) or (one and one == other):
        raise CommandError("name two environments, A=dev B=prod, or none for all of them")
    pairs = [(one, other)] if one else alike(environments())
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
