"""The rules as Pulumi's policies, with what the engine sends them."""

import pulumi
import pytest
from airflow_kubernetes.environment import SET
from airflow_kubernetes.kubernetes.manifest import Manifest
from airflow_kubernetes.policies.pack import policies
from airflow_kubernetes.policies.rules import RULES
from pulumi_policy import (
    EnforcementLevel,
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from .policy_examples import FIRST, VALUES, edited, good

IMAGE = (*FIRST, "image")
OPTIONS = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])


@pytest.fixture(autouse=True)
def _stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")
    monkeypatch.setenv(SET, VALUES)


def found(objects: list[Manifest]) -> list[tuple[str, str, str | None]]:
    """Policy, message and URN of everything that the pack reports."""
    reported: list[tuple[str, str, str | None]] = []
    resources = [
        PolicyResource(
            f"kubernetes:{obj['apiVersion']}:{obj['kind']}",
            unknown_checking_proxy(obj),
            f"urn:{obj['kind']}/{obj['metadata']['name']}",
            obj["metadata"]["name"],
            OPTIONS, None, None, [], {},
        )
        for obj in objects
    ]  # fmt: skip
    for policy in policies():

        def report(message: str, urn: str | None = None, name: str = policy.name) -> None:
            reported.append((name, message, urn))

        if isinstance(policy, StackValidationPolicy):
            policy.validate(StackValidationArgs(resources), report)
        elif isinstance(policy, ResourceValidationPolicy):
            for resource in resources:
                arguments = ResourceValidationArgs(
                    resource.resource_type,
                    resource.props,
                    resource.urn,
                    resource.name,
                    OPTIONS,
                    None,
                )
                policy.validate(arguments, report)
    return reported


def test_each_rule_is_a_mandatory_policy_but_the_one_about_changes() -> None:
    assert {policy.name for policy in policies()} == set(RULES) - {"no-loss-of-data"}
    assert {policy.enforcement_level for policy in policies()} == {EnforcementLevel.MANDATORY}


def test_a_good_stack_passes() -> None:
    assert found(good()) == []


def test_rules_about_one_object_and_about_the_stack_are_reported_with_their_objects() -> None:
    broken = list(edited("Deployment", ("spec", "template", "spec", "hostPID"), True).objects)
    assert found(broken) == [
        (
            "host-namespaces",
            "Deployment/airflow-scheduler: spec.template.spec.hostPID: is true. "
            f"Fix: {RULES['host-namespaces'].fix}",
            None,  # the resource that is validated
        )
    ]
    ((name, message, urn),) = found(list(edited("Deployment", IMAGE, "scheduler:1").objects))
    assert (name, urn) == ("image-digest", "urn:Deployment/airflow-scheduler")
    assert "scheduler:1 has no digest" in message


def test_what_the_engine_does_not_know_yet_is_not_judged() -> None:
    assert found(list(edited("Deployment", IMAGE, UNKNOWN_STRING_VALUE).objects)) == []
    password = ("stringData", "password")
    assert found(list(edited("Secret", password, UNKNOWN_STRING_VALUE).objects)) == []


def test_other_providers_resources_are_no_objects() -> None:
    provider = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {}}
    policy = next(policy for policy in policies() if policy.name == "own-account")
    assert isinstance(policy, ResourceValidationPolicy)
    reported: list[str] = []
    for kind, props in (
        ("random:index:RandomPassword", provider),
        ("pulumi:providers:kubernetes", {}),
    ):
        arguments = ResourceValidationArgs(kind, props, "urn", "p", OPTIONS, None)
        policy.validate(arguments, lambda message, _: reported.append(message))
    assert reported == []
