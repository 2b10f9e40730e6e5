"""The verbs of every component: a change of them fails here until it is approved here.

The policy rbac-verbs compares what is rendered with what the program grants.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import product

import pytest
from airflow_kubernetes.airflow.executors import EXECUTORS
from airflow_kubernetes.airflow.manifests import granted
from airflow_kubernetes.airflow.releases import RELEASES
from airflow_kubernetes.environment import load
from airflow_kubernetes.policies.rule import Subject
from airflow_kubernetes.policies.rules import RULES
from airflow_kubernetes.settings.load import environments

from .objects import objects, of_kind, pods

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
RUN_TASKS = {
    "KubernetesExecutor": {"task"},
    "CeleryExecutor": {"worker"},
    "CeleryKubernetesExecutor": {"worker", "task"},
    "LocalKubernetesExecutor": {"scheduler", "task"},
    "LocalExecutor": {"scheduler"},
    "SequentialExecutor": {"scheduler"},
}
"""Executor: the components in whose pods tasks run."""

COMPONENTS = (
    "api-server", "webserver", "scheduler", "dag-processor", "triggerer", "worker", "flower",
    "task", "migrations", "create-admin", "mysql",
)  # fmt: skip


def expected(executor: str, *, launch: bool = True, commands: bool = False) -> dict[str, Verbs]:
    """Verbs by component, without components that have none."""
    verbs: dict[str, list[Verbs]] = defaultdict(list)
    if "Kubernetes" in executor:
        verbs["scheduler"].append(STARTS_TASK_PODS)
    if launch:
        verbs["triggerer"].append(FOLLOWS_PODS)
        for component in RUN_TASKS[executor]:
            verbs[component].append(LAUNCHES_PODS)
            if commands:
                verbs[component].append(RUNS_COMMANDS_IN_PODS)
    return {component: merged(parts) for component, parts in verbs.items()}


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


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("version", RELEASES)
def test_components_have_exactly_these_verbs(version: str, executor: str) -> None:
    for launch, commands in product((True, False), repeat=2):
        settings = load(
            "dev",
            f"airflow.version={version} airflow.executor={executor} "
            f"airflow.tasks.launchPods={launch} airflow.tasks.podsExec={launch and commands}",
        )
        verbs = {component: verbs_of(granted(settings, component)) for component in COMPONENTS}
        assert {component: some for component, some in verbs.items() if some} == expected(
            executor, launch=launch, commands=commands
        )


@pytest.mark.parametrize("environment", environments())
def test_rendered_roles_grant_these_verbs(environment: str) -> None:
    roles = {
        obj["metadata"]["name"].removeprefix("airflow-"): verbs_of(obj["rules"])
        for obj in of_kind(objects("", environment), "Role")
    }
    assert roles == expected("KubernetesExecutor")


@pytest.mark.parametrize("environment", environments())
def test_a_token_is_wherever_something_may_be_done_with_it(environment: str) -> None:
    # That it is nowhere else is a policy: no-idle-token.
    rendered = objects("", environment)
    roles = {obj["metadata"]["name"] for obj in of_kind(rendered, "Role")}
    for name, pod in pods(rendered).items():
        if pod["serviceAccountName"] in roles:
            assert pod["automountServiceAccountToken"] is True, name


def test_without_launching_pods_tasks_get_no_token() -> None:
    launched = pods(objects("airflow.tasks.launchPods=false"))
    with_token = [name for name, pod in launched.items() if pod["automountServiceAccountToken"]]
    assert with_token == ["scheduler"]


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
