"""Rules that are a table: patterns of pods' fields, and the values that each may have."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .rule import Finding, Rule, Subject
from .workloads import UNKNOWN, select, workloads

Allowed = Callable[[Any], bool]
"""Whether a field may have a value; None where the field is missing."""


def one_of(*values: Any) -> Allowed:
    """Allow the given values."""
    return lambda value: value in values


UNSET = one_of(None, False, "")
"""Allow only a field that is missing, false, 0 or empty."""


def field_rule(
    name: str,
    why: str,
    fix: str,
    fields: Mapping[str, Allowed],
    *,
    source: str,
    inherited: bool = False,
) -> Rule:
    """A rule that all fields of some patterns (see workloads.select) have allowed values.

    With `inherited`, a container without the field has its pod's value.
    """

    def check(subject: Subject) -> Iterator[Finding]:
        for workload in workloads(subject.objects):
            for pattern, allowed in fields.items():
                for path, value in select(workload.pod, pattern):
                    if value is None and inherited:
                        of_pod = pattern.removeprefix("containers[*].")
                        ((_, value),) = select(workload.pod, of_pod)
                    if value != UNKNOWN and not allowed(value):
                        yield workload.finding(_message(value), *path)

    return Rule(name, why, fix, source, check)


def _message(value: Any) -> str:
    if value is None:
        return "is not set"
    return f"is {value if isinstance(value, str) else json.dumps(value)}"
