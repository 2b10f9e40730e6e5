"""All rules, and the violations of them in one environment."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from ..comparison.leaves import dotted
from . import (  # noqa: F401 (importing a module adds its rules)
    acceptance,
    capacity,
    connections,
    containers,
    data,
    pod_security,
    rbac,
    references,
    secrets,
)
from .rule import RULES as RULES
from .rule import Rule, Subject
from .waivers import Waiver, object_name


@dataclass(frozen=True)
class Violation:
    """An object that breaks a rule at a dotted path, and the waiver that permits it, if any."""

    kind: str
    name: str
    path: str
    rule: str
    message: str
    why: str
    fix: str
    waiver: Waiver | None = None


def violations(
    subject: Subject,
    waivers: Iterable[Waiver],
    today: date,
    rules: Iterable[Rule] = tuple(RULES.values()),
) -> list[Violation]:
    """The violations in one environment, sorted by object and path, with the waivers that apply."""
    valid = {
        (waiver.rule, waiver.object): waiver
        for waiver in waivers
        if waiver.environment in (None, subject.environment) and today <= waiver.expires
    }
    found = {
        Violation(
            finding.obj["kind"],
            finding.obj["metadata"]["name"],
            dotted(finding.path),
            rule.name,
            finding.message,
            rule.why,
            rule.fix,
            valid.get((rule.name, object_name(finding.obj))),
        )
        for rule in rules
        for finding in rule.check(subject)
    }
    return sorted(
        found, key=lambda each: (each.kind, each.name, each.path, each.rule, each.message)
    )
