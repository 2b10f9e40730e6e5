"""The rules over one environment's objects and the changes of a deployment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from ..comparison.changes import Change
from ..comparison.leaves import dotted
from ..kubernetes.manifest import Manifest
from ..settings.schema import Budget
from .rule import Finding, Reference, Rule, Subject
from .rules import RULES
from .waivers import Waiver, object_name


@dataclass(frozen=True)
class Violation:
    """A rule that an object breaks, at a dotted path; with the waiver that lets it pass, if any."""

    rule: str
    kind: str
    name: str
    path: str
    message: str
    why: str
    fix: str
    waiver: Waiver | None = None


def violations(
    objects: Sequence[Manifest],
    changes: Sequence[Change],
    *,
    environment: str,
    waivers: Sequence[Waiver],
    budget: Budget | None,
    today: date,
    outside: frozenset[Reference] = frozenset(),
) -> list[Violation]:
    """Everything in one environment that breaks a rule, by kind, name and path.

    `changes` are those of a deployment, empty where none is looked at. `outside` are objects that
    others make (policies.outside). A waiver counts up to and on the day that it expires.
    """
    subject = Subject(objects, changes, environment, outside, budget)
    valid = [
        waiver
        for waiver in waivers
        if waiver.environment in (None, environment) and today <= waiver.expires
    ]
    found = {
        violation(rule, finding, valid)
        for rule in RULES.values()
        for finding in rule.check(subject)
    }
    return sorted(found, key=lambda one: (one.kind, one.name, one.path, one.rule, one.message))


def violation(rule: Rule, finding: Finding, waivers: Iterable[Waiver]) -> Violation:
    """A finding of a rule, with the first of the waivers that is for its object and the rule."""
    key = (rule.name, object_name(finding.obj))
    return Violation(
        rule.name,
        finding.obj["kind"],
        finding.obj["metadata"]["name"],
        dotted(finding.path),
        finding.message,
        rule.why,
        rule.fix,
        next((waiver for waiver in waivers if (waiver.rule, waiver.object) == key), None),
    )
