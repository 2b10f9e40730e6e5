"""The rules as Pulumi policies; infra/policy-pack serves them to the engine.

A rule about one object is checked before that object is changed, a rule about the whole stack when
the program has registered everything: in a preview, this too is before anything is changed.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    Policy,
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
from .rule import Reference, Rule, Subject
from .rules import RULES, violations
from .workloads import UNKNOWN

ADDED_BY_SERVER = ("status",)
"""Fields that the API server adds to an object, apart from its metadata."""


def policies() -> list[Policy]:
    """One mandatory policy for each rule; a waiver permits an object to break it.

    The engine does not pass deletions and replacements to policies, so no-loss-of-data is left to
    Pulumi's own protection, which every object with data has.
    """
    return [
        _stack_policy(rule) if rule.whole_stack else _resource_policy(rule)
        for rule in RULES.values()
        if rule is not no_loss_of_data
    ]


def manifest(resource_type: str, props: Mapping[str, Any]) -> Manifest | None:
    """A resource's properties as an object; None for a resource that is no Kubernetes object.

    Values that the engine does not know yet are UNKNOWN; secrets are their values.
    """
    if not resource_type.startswith("kubernetes:") or "kind" not in props:
        return None
    return {key: value for key, value in _plain(props).items() if key not in ADDED_BY_SERVER}


def _resource_policy(rule: Rule) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        obj = manifest(args.resource_type, args.props)
        if obj is not None:
            for message, _ in _messages(rule, [obj]):
                report(message, None)

    return ResourceValidationPolicy(
        rule.name, rule.why, validate, EnforcementLevel.MANDATORY, remediation_steps=rule.fix
    )


def _stack_policy(rule: Rule) -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        objects: list[Manifest] = []
        urns: dict[Reference, str] = {}
        for resource in args.resources:
            obj = manifest(resource.resource_type, resource.props)
            if obj is not None:
                objects.append(obj)
                urns[obj["kind"], obj["metadata"]["name"]] = resource.urn
        for message, reference in _messages(rule, objects):
            report(message, urns.get(reference))

    return StackValidationPolicy(
        rule.name, rule.why, validate, EnforcementLevel.MANDATORY, remediation_steps=rule.fix
    )


def _messages(rule: Rule, objects: Sequence[Manifest]) -> Iterator[tuple[str, Reference]]:
    """The message and the object of each violation without a waiver."""
    environment = pulumi.get_stack()
    settings, known = _settings_and_waivers(environment)
    subject = Subject(objects, settings, environment)
    for each in violations(subject, known, datetime.now(UTC).date(), [rule]):
        if each.waiver is None:
            field = f"{each.kind}/{each.name}: {each.path}".removesuffix(": ")
            yield f"{field}: {each.message}. Fix: {each.fix}", (each.kind, each.name)


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
