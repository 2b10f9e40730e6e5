"""What a report tells, as plain data: Markdown and JSON are two ways of writing it down."""

from dataclasses import dataclass, field
from enum import StrEnum

from .objects import ObjectChange
from .restarts import Note, Restart
from .risks import Step
from .stack_config import Entry


class Severity(StrEnum):
    """How much a deployment disturbs, in rising order."""

    NONE = "none"
    CHANGE = "change"
    RESTART = "restart"
    DESTRUCTIVE = "destructive"
    ERROR = "error"


SEVERITIES = tuple(Severity)


def worst(severities: list[Severity]) -> Severity:
    """The gravest of some; NONE of none."""
    return max(severities, key=SEVERITIES.index, default=Severity.NONE)


class State(StrEnum):
    """Whether an environment is on both sides."""

    KEPT = "kept"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True)
class Broken:
    """A rule that an object breaks; `waived` tells until when and why that may be."""

    rule: str
    kind: str
    name: str
    path: str
    message: str
    fix: str
    waived: str = ""


@dataclass(frozen=True)
class Amount:
    """One measure of what an environment needs, before and after; None where it is not known."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class Checked:
    """What rules and sums say about one environment."""

    broken: tuple[Broken, ...] = ()
    capacity: tuple[Amount, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Pair:
    """Two environments' parity in a line, and every difference to mend."""

    left: str
    right: str
    verdict: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Live:
    """What Pulumi says against the real state.

    `problem` says why nothing, or not everything, is known. `drift` is what somebody changed in the
    cluster beside the program. `others` are resources that are no objects, a line each.
    """

    problem: str = ""
    changes: tuple[ObjectChange, ...] = ()
    drift: tuple[ObjectChange, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Environment:
    """One environment. `errors` say why a side did not render; then there are no changes.

    `warnings` are those of the checkout that the base did not give.
    """

    name: str
    state: State
    severity: Severity
    summary: str
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    destructive: tuple[Step, ...] = ()
    refused: tuple[Step, ...] = ()
    notes: tuple[Note, ...] = ()
    restarts: tuple[Restart, ...] = ()
    changes: tuple[ObjectChange, ...] = ()
    stack: tuple[Entry, ...] = ()
    secrets: tuple[str, ...] = ()
    checked: Checked = field(default_factory=Checked)
    live: Live | None = None


@dataclass(frozen=True)
class Report:
    """All environments. `problems` are what must not be merged as it is, a line each."""

    base: str
    commit: str
    behind: int
    head: str
    uncommitted: tuple[str, ...]
    severity: Severity
    verdict: str
    problems: tuple[str, ...]
    environments: tuple[Environment, ...]
    parity: tuple[Pair, ...] = ()
