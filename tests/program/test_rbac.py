"""What each component may do in the cluster, and who gets a token for it."""

import pytest
from airflow_kubernetes.settings.load import environments

from .objects import objects, of_kind, pods, rules

LAUNCH = {"create", "delete", "get", "list", "patch"}
each_environment = pytest.mark.parametrize("environment", environments())


@each_environment
def test_a_token_is_wherever_something_may_be_done_with_it(environment: str) -> None:
    # That it is nowhere else is a policy: no-idle-token.
    rendered = objects("", environment)
    roles = {obj["metadata"]["name"] for obj in of_kind(rendered, "Role")}
    for name, pod in pods(rendered).items():
        if pod["serviceAccountName"] in roles:
            assert pod["automountServiceAccountToken"] is True, name


@each_environment
def test_components_have_the_verbs_they_need_and_no_more(environment: str) -> None:
    rendered = objects("", environment)
    assert rules(rendered, "scheduler") == {"pods": {*LAUNCH, "watch"}, "pods/log": {"get"}}
    assert rules(rendered, "task") == {"pods": LAUNCH, "pods/log": {"get"}, "events": {"list"}}
    assert rules(rendered, "triggerer") == {
        "pods": {"delete", "get"},
        "pods/log": {"get"},
        "events": {"list", "watch"},
    }
    for component in ("api-server", "dag-processor", "migrations", "create-admin", "mysql"):
        assert rules(rendered, component) == {}


@pytest.mark.parametrize(
    ("executor", "component"),
    [("LocalExecutor", "scheduler"), ("CeleryExecutor", "worker")],
)
def test_what_runs_tasks_may_do_what_a_task_pod_may(executor: str, component: str) -> None:
    podless = objects(f"airflow.executor={executor} airflow.tasks.podsExec=true")
    assert rules(podless, component) == rules(objects("airflow.tasks.podsExec=true"), "task")
    assert "Role/airflow-task" not in podless


def test_commands_in_pods_only_if_asked_for() -> None:
    assert not any("pods/exec" in rules(objects(), name) for name in ("task", "scheduler"))
    rendered = objects("airflow.tasks.podsExec=true")
    assert rules(rendered, "task")["pods/exec"] == {"create", "get"}
    assert "pods/exec" not in rules(rendered, "scheduler")


def test_without_launching_pods_tasks_get_no_token() -> None:
    launched = pods(objects("airflow.tasks.launchPods=false"))
    with_token = [name for name, pod in launched.items() if pod["automountServiceAccountToken"]]
    assert with_token == ["scheduler"]
