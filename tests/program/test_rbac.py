"""The verbs of every component: a change of them fails here until it is approved here.

The policy rbac-verbs compares what is rendered with what the program grants.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest
from airflow_kubernetes.airflow.executors import EXECUTORS
from airflow_kubernetes.airflow.releases import RELEASES
from airflow_kubernetes.environment import load
from airflow_kubernetes.policies.rule import Subject
from airflow_kubernetes.policies.rules import RULES
from airflow_kubernetes.settings.load import environments

from .objects import objects, pods

Verbs = dict[str, set[str]]
"""Verbs by resource of the core API group."""

STARTS_TASK_PODS: Verbs = {
    "pods": {"create", "delete", "get", "list", "patch", "watch"},
    "pods/log": {"get"},
}
LAUNCHES_PODS: Verbs = {
    "pods": {"create", "delete", "get", "list", "patch"},
    "pods/log": {"get"},
    "events": {"list"},
}
RUNS_COMMANDS_IN_PODS: Verbs = {"pods/exec": {"create", "get"}}
FOLLOWS_PODS: Verbs = {
    "pods": {"delete", "get"},
    "pods/log": {"get"},
    "events": {"list", "watch"},
}
SWEEPS_PODS: Verbs = {"pods": {"delete", "list"}}
WRITES_COSTS: Verbs = {"pods": {"list", "patch"}}
RUN_TASKS = {
    "KubernetesExecutor": {"task"},
    "CeleryExecutor": {"worker"},
    "CeleryKubernetesExecutor": {"worker", "task"},
    "LocalKubernetesExecutor": {"scheduler", "task"},
    "LocalExecutor": {"scheduler"},
    "SequentialExecutor": {"scheduler"},
}
"""Executor: the components in whose pods tasks run."""

AIRFLOW, TASKS = "airflow", "airflow-tasks"

Access = dict[tuple[str, str], Verbs]
"""Verbs by the namespace of the Role and the name of the account in Airflow's namespace."""


def expected(executor: str, *, launch: bool = True, commands: bool = True) -> Access:
    """Every account that may do anything."""
    access: Access = {}
    if "Kubernetes" in executor:
        access[AIRFLOW, "airflow-scheduler"] = STARTS_TASK_PODS
        access[AIRFLOW, "airflow-sweep-pods"] = SWEEPS_PODS
    if launch:
        access[TASKS, "airflow-triggerer"] = FOLLOWS_PODS
        own = merged([LAUNCHES_PODS, RUNS_COMMANDS_IN_PODS if commands else {}])
        access |= {(TASKS, f"airflow-{component}"): own for component in RUN_TASKS[executor]}
    return access


def access_in(rendered: Iterable[dict[str, Any]]) -> Access:
    """What the rendered bindings give to whom."""
    found = list(rendered)
    roles = {
        (obj["metadata"]["namespace"], obj["metadata"]["name"]): verbs_of(obj["rules"])
        for obj in found
        if obj["kind"] == "Role"
    }
    access: Access = {}
    for obj in found:
        assert "Cluster" not in obj["kind"]
        if obj["kind"] != "RoleBinding":
            continue
        place = obj["metadata"]["namespace"]
        for subject in obj["subjects"]:
            assert subject["kind"] == "ServiceAccount"
            assert subject["namespace"] == AIRFLOW
            assert (place, subject["name"]) not in access
            access[place, subject["name"]] = roles[place, obj["roleRef"]["name"]]
    return access


def merged(parts: Iterable[Verbs]) -> Verbs:
    verbs: Verbs = defaultdict(set)
    for part in parts:
        for resource in part:
            verbs[resource] |= part[resource]
    return dict(verbs)


def verbs_of(rules: Iterable[dict[str, list[str]]]) -> Verbs:
    """Verbs of a Role's rules, which have the core API group and nothing else."""
    found: list[Verbs] = []
    for rule in rules:
        assert rule.keys() == {"apiGroups", "resources", "verbs"}
        assert rule["apiGroups"] == [""]
        found += [{resource: {*rule["verbs"]}} for resource in rule["resources"]]
    return merged(found)


@pytest.mark.parametrize("version", RELEASES)
def test_accounts_have_exactly_these_verbs_in_these_namespaces(version: str) -> None:
    for executor, launch, commands in product(EXECUTORS, (True, False), (True, False)):
        overrides = (
            f"airflow.version={version} airflow.executor={executor} "
            f"airflow.tasks.launchPods={launch} airflow.tasks.podsExec={commands}"
        )
        rendered = objects(overrides)
        access = expected(executor, launch=launch, commands=commands)
        assert access_in(rendered.values()) == access, overrides
        # A token is wherever something may be done with it, and nowhere else.
        accounts = {account for _, account in access}
        for name, pod in pods(rendered).items():
            token = pod["automountServiceAccountToken"]
            assert token == (pod["serviceAccountName"] in accounts), (overrides, name)


@pytest.mark.parametrize("keda", [True, False])
def test_autoscaled_workers_get_no_right_by_it(*, keda: bool) -> None:
    rendered = objects(
        "airflow.executor=CeleryExecutor airflow.celery.workers.default.maxReplicas=2 "
        f"airflow.keda.enabled={keda}"
    )
    own = {(AIRFLOW, "airflow-deletion-cost"): WRITES_COSTS}
    assert access_in(rendered.values()) == expected("CeleryExecutor") | own


@pytest.mark.parametrize("environment", environments())
def test_every_environment_grants_these_verbs(environment: str) -> None:
    rendered = objects("", environment)
    assert access_in(rendered.values()) == expected("KubernetesExecutor")


def test_without_launching_pods_tasks_get_no_token() -> None:
    launched = pods(objects("airflow.tasks.launchPods=false"))
    with_token = [name for name, pod in launched.items() if pod["automountServiceAccountToken"]]
    assert {*with_token} == {"scheduler", "sweep-pods"}


@pytest.mark.parametrize(
    ("group", "resource", "verb"),
    [
        ("", "secrets", "get"),
        ("", "serviceaccounts/token", "create"),
        ("", "*", "get"),
        ("", "pods", "*"),
        ("*", "pods", "get"),
        ("rbac.authorization.k8s.io", "roles", "create"),
        ("", "users", "impersonate"),
    ],
)
def test_a_policy_forbids_some_verbs_even_if_they_are_granted(
    group: str, resource: str, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
    monkeypatch.setattr("airflow_kubernetes.policies.rbac.granted", lambda *_: [rule])
    role = {"kind": "Role", "metadata": {"name": "airflow-scheduler"}, "rules": [rule]}
    (finding,) = RULES["rbac-verbs"].check(Subject([role], load("dev"), "dev"))
    assert finding.path == ("rules", "[0]")
