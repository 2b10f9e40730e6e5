"""The rules as Pulumi's policies; infra/policy-pack serves them to the engine.

A rule that looks at one object is checked before that is changed, a whole one after the program
has registered everything: in the preview, that is before anything is changed too.
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
from .check import violation
from .data import no_loss_of_data
from .external_references import outside
from .rule import Rule, Subject
from .rules import RULES
from .workloads import UNKNOWN

KUBERNETES = "kubernetes:"
OUTPUTS = ("status",)
"""What the API server adds to an object, beside its metadata."""


def policies() -> list[Policy]:
    """One policy a rule. All are mandatory: a waiver is how an object may break one.

    An engine does not tell policies what it would delete or replace: that rule is Pulumi's own
    protection, which every object with data has.
    """
    return [
        _of_stack(rule) if rule.whole else _of_resource(rule)
        for rule in RULES.values()
        if rule is not no_loss_of_data
    ]


def manifest(resource_type: str, props: Mapping[str, Any]) -> Manifest | None:
    """A resource's properties as an object; None for a resource of another provider.

    What the engine does not know yet is UNKNOWN, secrets are their values.
    """
    if not resource_type.startswith(KUBERNETES) or "kind" not in props:
        return None  # not an object: the provider itself
    return {key: value for key, value in _plain(props).items() if key not in OUTPUTS}


def _of_resource(rule: Rule) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        obj = manifest(args.resource_type, args.props)
        if obj is not None:
            for message, _ in _broken(rule, [obj]):
                report(message, None)

    return ResourceValidationPolicy(
        rule.name, rule.why, validate, EnforcementLevel.MANDATORY, remediation_steps=rule.fix
    )


def _of_stack(rule: Rule) -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        urns = {}
        objects = []
        for resource in args.resources:
            obj = manifest(resource.resource_type, resource.props)
            if obj is not None:
                urns[obj["kind"], obj["metadata"]["name"]] = resource.urn
                objects.append(obj)
        for message, key in _broken(rule, objects):
            report(message, urns.get(key))

    return StackValidationPolicy(
        rule.name, rule.why, validate, EnforcementLevel.MANDATORY, remediation_steps=rule.fix
    )


def _broken(rule: Rule, objects: list[Manifest]) -> Iterator[tuple[str, tuple[str, str]]]:
    """What to report of each violation that no waiver is for, and of which object it is."""
    environment = pulumi.get_stack()
    settings, known = _of(environment)
    today = datetime.now(UTC).date()
    subject = Subject(objects, (), environment, outside(settings), settings.budget)
    valid = [
        waiver
        for waiver in known
        if waiver.environment in (None, environment) and today <= waiver.expires
    ]
    for finding in rule.check(subject):
        one = violation(rule, finding, valid)
        if one.waiver is None:
            where = f"{one.kind}/{one.name}: {one.path}".removesuffix(": ")
            yield f"{where}: {one.message}. Fix: {one.fix}", (one.kind, one.name)


@lru_cache
def _of(environment: str) -> tuple[Settings, list[waivers.Waiver]]:
    """Read once, and not for each rule and resource."""
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
