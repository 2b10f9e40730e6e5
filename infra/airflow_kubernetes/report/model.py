"""What a report says, as plain data; report.md.j2 and JSON are two ways to write it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ..policies.rules import Violation


class Severity(StrEnum):
    """How much a deployment disturbs, in rising order."""

    NONE = "none"
    CHANGE = "change"
    RESTART = "restart"
    DESTRUCTIVE = "destructive"
    ERROR = "error"


@dataclass(frozen=True)
class Field:
    """A changed field: its dotted path, last key, and both values; None where a side has none.

    For texts of several lines, `diff` is set instead of the values. `effect` is "replaces" (Pulumi
    replaces the object for it), "refused" (by the API server), "encrypted" (in a stack's
    configuration), or empty.
    """

    path: str
    name: str
    old: str | None
    new: str | None
    diff: str | None = None
    effect: str = ""


OUTCOMES = ("REPLACED", "DELETED", "replaced", "deleted", "changed", "created", "run again")
"""What can happen to an object, the gravest first; in capitals if it held data or secrets."""


@dataclass(frozen=True)
class ObjectChange:
    """What happens to an object, one of OUTCOMES, and its changed fields.

    `content` is a created object as YAML. A Job's name is without its hash.
    """

    outcome: str
    kind: str
    name: str
    fields: tuple[Field, ...] = ()
    content: str = ""


@dataclass(frozen=True)
class Effect:
    """What a deployment does to an object or, without `kind` and `name`, to the environment.

    `what` is a word (in capitals if it must not be overlooked), `text` a sentence; the reasons are
    `paths` (dotted), and `remedy` is what to do about it.
    """

    what: str
    text: str
    kind: str = ""
    name: str = ""
    paths: tuple[str, ...] = ()
    remedy: str = ""


@dataclass(frozen=True)
class Checked:
    """Broken rules, and capacity by measure, before (None if not known) and after.

    `problem` says why they are not known.
    """

    violations: tuple[Violation, ...] = ()
    capacity: Mapping[str, tuple[str | None, str]] = field(default_factory=dict)
    problem: str = ""

    @property
    def broken(self) -> int:
        """The number of violations without a waiver."""
        return sum(each.waiver is None for each in self.violations)

    @property
    def capacity_changes(self) -> bool:
        """Whether any measure changes."""
        return any(old not in (None, new) for old, new in self.capacity.values())


@dataclass(frozen=True)
class ParityResult:
    """The verdict on two environments that should be alike, and every problem."""

    left: str
    right: str
    verdict: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class RealState:
    """What Pulumi says about the real state; `problem` says why not everything is known.

    `drift` was changed in the cluster without the program; `others` are no Kubernetes objects.
    """

    problem: str = ""
    changes: tuple[ObjectChange, ...] = ()
    drift: tuple[ObjectChange, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Environment:
    """One environment; `state` is kept, new or gone.

    `errors` say why a side does not render; then there are no changes. `warnings` are those that
    the base does not give. `stack` are changed entries of Pulumi.<env>.yaml.
    """

    name: str
    state: str
    severity: Severity
    summary: str
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    destructive: tuple[Effect, ...]
    refused: tuple[Effect, ...]
    restarts: tuple[Effect, ...]
    changes: tuple[ObjectChange, ...]
    stack: tuple[Field, ...]
    checked: Checked
    real_state: RealState | None


@dataclass(frozen=True)
class Sides:
    """The commit that `base` (BASE) and the checkout share, and the checkout's commit and files.

    `behind` counts the commits of `base` that the checkout lacks. They are not compared: it would
    look as if the checkout took them back.
    """

    base: str
    commit: str
    behind: int
    head: str
    uncommitted: tuple[str, ...] = ()


@dataclass(frozen=True)
class DagChange:
    """A DAG that appears, changes or disappears, and in what, in words."""

    outcome: str
    name: str
    details: tuple[str, ...]


@dataclass(frozen=True)
class Dags:
    """What changes in DAGs; errors of this checkout, and warnings that the base does not give.

    `not_compared` says why nothing is known; it is empty, as all else, if no file differs.
    """

    not_compared: str = ""
    changes: tuple[DagChange, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """All environments, the gravest first. `problems`: why it must not be merged, a line each."""

    sides: Sides
    severity: Severity
    problems: tuple[str, ...]
    environments: tuple[Environment, ...]
    parity: tuple[ParityResult, ...] = ()
    dags: Dags = Dags()
