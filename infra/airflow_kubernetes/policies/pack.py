"""The rules as Pulumi policies; infra/policy-pack serves them to the engine.

A rule about one object is checked before that object is changed, a rule about the whole stack when
the program has registered everything: in a preview, this too is before anything is changed.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from ..environment import SET, load
from ..kubernetes.manifest import Manifest
from ..settings.load import environments
from ..settings.schema import Settings
from . import waivers
from .data import no_loss_of_data
from .rule import Rule, Subject
from .rules import RULES, violations
from .workloads import UNKNOWN


def policies() -> list[Policy]:
    """One mandatory policy for each rule; a waiver permits an object to break it.

    The engine does not pass deletions and replacements to policies, so no-loss-of-data is left to
    Pulumi's own protection, which every object with data has.
    """
    return [_policy(rule) for rule in RULES.values() if rule is not no_loss_of_data]


def manifest(resource_type: str, props: Mapping[str, Any]) -> Manifest | None:
    """A resource's properties as an object; None for a resource that is no Kubernetes object.

    Values that the engine does not know yet are UNKNOWN; secrets are their values.
    """
    if not resource_type.startswith("kubernetes:") or "kind" not in props:
        return None
    return dict(_plain(props))


def _policy(rule: Rule) -> Policy:
    def of_resource(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for message, _ in _messages(rule, [args]):
            report(message, None)

    def of_stack(args: StackValidationArgs, report: ReportViolation) -> None:
        for message, urn in _messages(rule, args.resources):
            report(message, urn)

    level = EnforcementLevel.MANDATORY
    if rule.whole_stack:
        return StackValidationPolicy(
            rule.name, rule.why, of_stack, level, remediation_steps=rule.fix
        )
    return ResourceValidationPolicy(
        rule.name, rule.why, of_resource, level, remediation_steps=rule.fix
    )


def _messages(
    rule: Rule, resources: Iterable[ResourceValidationArgs | PolicyResource]
) -> Iterator[tuple[str, str]]:
    """The message, and the URN of the object, of each violation without a waiver."""
    environment = pulumi.get_stack()
    settings, known = _settings_and_waivers(environment)
    objects = {each.urn: manifest(each.resource_type, each.props) for each in resources}
    urns = {(obj["kind"], obj["metadata"]["name"]): urn for urn, obj in objects.items() if obj}
    subject = Subject([obj for obj in objects.values() if obj], settings, environment)
    for each in violations(subject, known, datetime.now(UTC).date(), [rule]):
        if each.waiver is None:
            field = f"{each.kind}/{each.name}: {each.path}".removesuffix(": ")
            yield f"{field}: {each.message}. Fix: {each.fix}", urns[each.kind, each.name]


@lru_cache
def _settings_and_waivers(environment: str) -> tuple[Settings, list[waivers.Waiver]]:
    """Cached, because every rule needs them for every resource."""
    return load(environment, os.environ.get(SET, "")), waivers.load(RULES, environments())


def _plain(value: Any) -> Any:
    """The engine's data without the proxies that refuse unknown values."""
    if isinstance(value, Mapping):
        return {key: _known(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_known(value, position) for position in range(len(value))]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _known(container: Any, key: Any) -> Any:
    try:
        return _plain(container[key])
    except UnknownValueError:
        return UNKNOWN
