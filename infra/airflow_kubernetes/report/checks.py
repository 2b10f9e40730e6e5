"""Run the policy and parity checks and the sums of capacity, for the report."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from ..comparison.changes import Change
from ..environment import load
from ..kubernetes.manifest import Manifest
from ..parity.check import alike, parity
from ..parity.disparity import Disparity
from ..parity.text import verdict
from ..policies import waivers
from ..policies.budget import cores, gibibytes
from ..policies.capacity import Capacity, capacity
from ..policies.check import violations
from ..policies.external_references import outside
from ..policies.rules import RULES
from ..settings.load import environments
from .model import Checked, ParityResult
from .objects import text
from .redaction import SECRET, looks_secret


def checked(
    environment: str,
    before: Sequence[Manifest],
    after: Sequence[Manifest],
    changes: Sequence[Change],
    today: date,
) -> Checked:
    """Which rules an environment's objects and changes break, and what it needs of its cluster.

    `before` is empty where it is not known.
    """
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
        new = dict(_measures(capacity(after)))
    # Whatever goes wrong is one line of the report, not its end.
    except Exception as error:
        return Checked(problem=_first_line(error))
    try:
        old = dict(_measures(capacity(before))) if before else {}
    except Exception:  # an earlier commit's objects may not be what today's sums expect
        old = {}
    return Checked(tuple(found), {name: (old.get(name), value) for name, value in new.items()})


def compared(names: Iterable[str], today: date) -> Iterator[ParityResult]:
    """The parity of every two environments that should be alike."""
    for left, right in alike(names):
        try:
            found = parity(left, right, today)
        except Exception as error:
            verdict_ = f"{left} and {right}: not compared"
            yield ParityResult(left, right, verdict_, (_first_line(error),))
        else:
            yield ParityResult(left, right, verdict(found), tuple(map(_problem, found.problems)))


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def _problem(one: Disparity) -> str:
    name = one.what.rpartition(".")[2]
    values = "; ".join(
        f"{whose}: {SECRET if looks_secret(name, value) else text(value) or 'nothing'}"
        for whose, value in one.values
    )
    return f"{one.kind}: {one.what}{f' ({values})' if values else ''}. {one.place}: {one.remedy}"


def _measures(one: Capacity) -> Iterator[tuple[str, str]]:
    for when, load_ in (("always", one.least), ("at worst", one.worst)):
        requests, limits = load_.requests, load_.limits
        yield f"pods, {when}", str(load_.pods)
        yield f"requests, {when}", f"{cores(requests.cpu)}, {gibibytes(requests.memory)}"
        yield f"limits, {when}", f"{cores(limits.cpu)}, {gibibytes(limits.memory)}"
    yield "storage", gibibytes(one.storage)
    allowed = "?" if one.max_connections is None else one.max_connections
    yield "database connections, at worst", f"{one.connections} of {allowed}"
