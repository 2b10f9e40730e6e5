"""What a rule is, what it looks at and what it finds."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..comparison.changes import Change
from ..comparison.leaves import Path
from ..kubernetes.manifest import Manifest
from ..settings.schema import Budget

Reference = tuple[str, str]
"""Kind and name of an object."""

POD_SECURITY = "Pod Security Standards, restricted"
"""https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""

HARDENING = "NSA/CISA Kubernetes Hardening Guide 1.2"


@dataclass(frozen=True)
class Subject:
    """One environment: its objects, what a deployment would do to each, and what is outside them.

    `outside` are objects that the values name and that somebody else makes (policies.outside).
    """

    objects: Sequence[Manifest]
    changes: Sequence[Change] = ()
    environment: str = ""
    outside: frozenset[Reference] = frozenset()
    budget: Budget | None = None


@dataclass(frozen=True)
class Finding:
    """A place that breaks a rule. `message` never holds a secret's value."""

    obj: Manifest
    path: Path
    message: str


Check = Callable[[Subject], Iterable[Finding]]


@dataclass(frozen=True)
class Rule:
    """A rule: `why` it is there, how to `fix` what breaks it, and the standard that it is from.

    One that is `whole` needs all objects of an environment; any other looks at each one alone.
    """

    name: str
    why: str
    fix: str
    source: str
    whole: bool
    check: Check


def rule(*, fix: str, source: str = "", whole: bool = False) -> Callable[[Check], Rule]:
    """Make a function that yields Findings a Rule of the same name; its docstring is the reason."""

    def make(check: Check) -> Rule:
        name = check.__name__.replace("_", "-")
        why = " ".join((inspect.getdoc(check) or "").split())
        return Rule(name, why, fix, source, whole, check)

    return make
