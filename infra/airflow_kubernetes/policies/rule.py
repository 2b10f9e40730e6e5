"""What a policy is: a Rule checks a Subject and yields Findings."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..comparison.changes import Change
from ..comparison.leaves import Path
from ..kubernetes.manifest import Manifest
from ..settings.schema import Settings

HARDENING = "NSA/CISA Kubernetes Hardening Guide 1.2"


@dataclass(frozen=True)
class Subject:
    """One environment: its objects, its settings and, if a deployment is checked, its changes."""

    objects: Sequence[Manifest]
    settings: Settings
    environment: str
    changes: Sequence[Change] = ()

    def of_kind(self, *kinds: str) -> list[Manifest]:
        """The objects of some kinds."""
        return [obj for obj in self.objects if obj["kind"] in kinds]

    def finding(self, message: str) -> "Finding":
        """A finding about the whole environment, at Airflow's Namespace."""
        name = self.settings.namespace
        (found,) = (obj for obj in self.of_kind("Namespace") if obj["metadata"]["name"] == name)
        return Finding(found, (), message)


@dataclass(frozen=True)
class Finding:
    """A field that breaks a rule. `message` never contains a secret's value."""

    obj: Manifest
    path: Path
    message: str


Check = Callable[[Subject], Iterable[Finding]]


@dataclass(frozen=True)
class Rule:
    """A rule: `why` it exists, how to `fix` a finding, and the standard that it comes from.

    A `whole_stack` rule needs all objects of an environment; any other checks each object alone.
    """

    name: str
    why: str
    fix: str
    source: str
    check: Check
    whole_stack: bool = False

    def __post_init__(self) -> None:
        RULES[self.name] = self


RULES: dict[str, Rule] = {}
"""Every rule by name, from the modules that rules.py imports."""


def rule(*, fix: str, source: str = "", whole_stack: bool = False) -> Callable[[Check], Rule]:
    """Make a Rule of a function that yields Findings: its name is the rule's, its docstring why."""

    def make(check: Check) -> Rule:
        name = check.__name__.replace("_", "-")
        why = " ".join((inspect.getdoc(check) or "").split())
        return Rule(name, why, fix, source, check, whole_stack)

    return make
