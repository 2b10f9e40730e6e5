"""What the rooms of policies and parity say, as facts of a report: the one place that asks them."""

from collections.abc import Iterable, Sequence
from datetime import date

from ..comparison.changes import Change
from ..comparison.leaves import MISSING
from ..environment import load
from ..kubernetes.manifest import Manifest
from ..parity import check
from ..parity.exchange import Exchange
from ..parity.hygiene import Disparity
from ..policies import waivers
from ..policies.budget import cores, gibibytes
from ..policies.capacity import Capacity, capacity
from ..policies.check import Violation, violations
from ..policies.external_references import outside
from ..policies.rules import RULES
from ..settings.load import environments
from .fields import as_yaml
from .model import Amount, Broken, Checked, Pair
from .redaction import SECRET, looks_secret


def checked(
    environment: str,
    before: Sequence[Manifest],
    after: Sequence[Manifest],
    changes: Sequence[Change],
    today: date,
) -> Checked:
    """The rules over an environment's objects and changes, and what it needs of its cluster."""
    try:
        settings = load(environment)
        found = violations(
            after,
            changes,
            environment=environment,
            waivers=waivers.load(RULES, environments()),
            budget=settings.budget,
            today=today,
            outside=outside(settings),
        )
        new = capacity(after)
    # Whatever goes wrong here is one line of the report, not its end.
    except Exception as error:
        return Checked(problem=f"{type(error).__name__}: {error}".partition("\n")[0])
    try:
        old = capacity(before) if before else None
    except Exception:  # an old commit's objects need not be as today's sums want them
        old = None
    return Checked(tuple(map(_broken, found)), tuple(_amounts(old, new)))


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


def _amounts(old: Capacity | None, new: Capacity) -> Iterable[Amount]:
    before = dict(_measures(old)) if old else {}
    for name, value in _measures(new):
        yield Amount(name, before.get(name), value)


def _measures(one: Capacity) -> Iterable[tuple[str, str]]:
    for word, load_ in (("always", one.least), ("at worst", one.worst)):
        requests, limits = load_.requests, load_.limits
        yield f"pods, {word}", str(load_.pods)
        yield f"requests, {word}", f"{cores(requests.cpu)}, {gibibytes(requests.memory)}"
        yield f"limits, {word}", f"{cores(limits.cpu)}, {gibibytes(limits.memory)}"
    yield "storage", gibibytes(one.storage)
    allowed = "?" if one.max_connections is None else str(one.max_connections)
    yield "database connections, at worst", f"{one.connections} of {allowed}"
