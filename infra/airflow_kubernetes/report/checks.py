"""What the rooms of policies and parity say, as facts of a report: the one place that asks them."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

from ..comparison.changes import Change
from ..comparison.leaves import MISSING
from ..environment import load
from ..kubernetes.manifest import Manifest
from ..parity import check
from ..parity.exchange import Exchange
from ..parity.hygiene import Disparity
from ..policies import connections, waivers
from ..policies.budget import cores, gibibytes
from ..policies.capacity import capacity
from ..policies.rule import Subject
from ..policies.rules import RULES, Violation, violations
from ..settings.load import environments
from ..settings.schema import Settings
from .fields import as_yaml
from .model import Amount, Broken, Checked, Pair
from .redaction import SECRET, looks_secret


def checked(
    environment: str,
    before: Sequence[Manifest],
    after: Sequence[Manifest],
    changes: Sequence[Change],
    today: date,
    values_before: Path,
) -> Checked:
    """The rules over an environment's objects and changes, and what it needs of its cluster."""
    try:
        settings = load(environment)
        subject = Subject(after, settings, environment, changes)
        found = violations(subject, waivers.load(RULES, environments()), today)
        new = _of_objects(after) | _of_settings(settings)
    # Whatever goes wrong here is one line of the report, not its end.
    except Exception as error:
        return Checked(problem=f"{type(error).__name__}: {error}".partition("\n")[0])
    old: dict[str, str] = {}
    with suppress(Exception):  # an old commit's objects need not be as today's sums want them
        old |= _of_objects(before) if before else {}
    with suppress(Exception):  # nor its values
        old |= _of_settings(load(environment, directory=values_before)) if before else {}
    amounts = (Amount(name, old.get(name), value) for name, value in new.items())
    return Checked(tuple(map(_broken, found)), tuple(amounts))


def pairs(names: Iterable[str], today: date) -> tuple[Pair, ...]:
    """The parity of every two environments that should be alike.

    The program runs three times for each pair.
    """
    return tuple(_pair(left, right, today) for left, right in check.pairs(names))


def _pair(left: str, right: str, today: date) -> Pair:
    try:
        found = check.parity(Exchange(left, right), today)
    except Exception as error:
        said = f"{type(error).__name__}: {error}".partition("\n")[0]
        return Pair(left, right, f"{left} and {right}: not compared", (said,))
    return Pair(left, right, found.verdict, tuple(map(_problem, found.problems)))


def _problem(disparity: Disparity) -> str:
    subject = disparity.subject
    values = "; ".join(f"{whose}: {_value(subject, value)}" for whose, value in disparity.values)
    return f"{disparity.kind}: {subject} ({values}). {disparity.location}: {disparity.fix}"


def _value(what: str, value: object) -> str:
    if value is MISSING:
        return "nothing"
    if isinstance(value, str) and looks_secret(what.rpartition(".")[2], value):
        return SECRET
    return as_yaml(value)


def _broken(one: Violation) -> Broken:
    waived = str(one.waiver) if one.waiver else ""
    return Broken(one.rule, one.kind, one.name, one.path, one.message, one.fix, waived)


def _of_objects(objects: Sequence[Manifest]) -> dict[str, str]:
    total = capacity(objects)
    amounts = {}
    for word, (pods, requests, limits) in (("always", total.least), ("at worst", total.worst)):
        amounts[f"pods, {word}"] = str(pods)
        amounts[f"requests, {word}"] = f"{cores(requests.cpu)}, {gibibytes(requests.memory)}"
        amounts[f"limits, {word}"] = f"{cores(limits.cpu)}, {gibibytes(limits.memory)}"
    amounts["storage"] = gibibytes(total.storage)
    return amounts


def _of_settings(settings: Settings) -> dict[str, str]:
    allowed = connections.allowed(settings) or "?"
    needed = connections.needed(settings)
    return {"database connections, at worst": f"{needed} of {allowed}"}
