"""The template of task pods is tried by a dry run; messages name the setting."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from airflow_kubernetes.cli import pulumi_cli
from airflow_kubernetes.cli.target import Target
from airflow_kubernetes.cli.task_pod_trial import RefusedError, try_if_reachable, try_task_pod
from airflow_kubernetes.cli.up import up
from airflow_kubernetes.environment import load
from airflow_kubernetes.errors import CommandError

SCRIPT = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
  *"get $EXISTING "*) echo '{"kind": "x"}' ;;
  *create*) /bin/cat > "$CALLS.pod"; test -z "$ANSWER" || { echo "$ANSWER" >&2; exit 1; } ;;
  *version*) test -z "$DOWN" || { echo "connection refused" >&2; exit 1; } ;;
esac
"""


class Cluster:
    """A kubectl that is a script."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._calls, self._patch = folder / "calls", patch
        (folder / "kubectl").write_text(SCRIPT)
        (folder / "kubectl").chmod(0o755)
        self.set(PATH=str(folder), CALLS=str(self._calls), EXISTING="none", ANSWER="", DOWN="")

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self._patch.setenv(name, value)

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    @property
    def pod(self) -> dict[str, Any]:
        (pod,) = json.loads(Path(f"{self._calls}.pod").read_text())["items"]
        assert isinstance(pod, dict)
        return pod


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    return Cluster(tmp_path, monkeypatch)


def target(overrides: str = "") -> Target:
    return Target("dev", overrides, load("dev", overrides))


def refused(cluster: Cluster, answer: str) -> Sequence[str]:
    cluster.set(ANSWER=answer)
    with pytest.raises(CommandError) as error:
        try_task_pod(target())
    return str(error.value).splitlines()


def test_the_pod_is_tried_in_its_namespace_without_creating_it(cluster: Cluster) -> None:
    cluster.set(EXISTING="namespace airflow")
    try_task_pod(target("airflow.tasks.env.A=b"))
    (create,) = (call for call in cluster.calls if " create " in call)
    assert "--namespace=airflow create --dry-run=server" in create
    pod = cluster.pod
    assert pod["metadata"]["namespace"] == "airflow"
    assert pod["metadata"]["labels"]["kubernetes_executor"] == "True"
    assert {"name": "A", "value": "b"} in pod["spec"]["containers"][0]["env"]
    assert "serviceAccountName" not in pod["spec"]  # there is none yet


def test_before_the_first_up_it_is_tried_elsewhere(cluster: Cluster) -> None:
    try_task_pod(target())
    assert cluster.pod["metadata"]["namespace"] == "default"
    assert any("--namespace=default create" in call for call in cluster.calls)


def test_the_account_is_the_pod_s_own_once_it_exists(cluster: Cluster) -> None:
    cluster.set(EXISTING="serviceaccount airflow-task")
    try_task_pod(target())
    assert cluster.pod["spec"]["serviceAccountName"] == "airflow-task"


def test_executors_without_task_pods_try_nothing(cluster: Cluster) -> None:
    try_task_pod(target("airflow.executor=LocalExecutor"))
    assert cluster.calls == []


INVALID = 'The Pod "airflow-task-dry-run" is invalid: '
FORBIDDEN = (
    'Error from server (Forbidden): error when creating "STDIN": pods "airflow-task-dry-run" is '
    "forbidden: "
)


@pytest.mark.parametrize(
    ("answer", "setting"),
    [
        (f"{INVALID}spec.tolerations[0].operator: Invalid value", "airflow.tasks.tolerations"),
        (f"{INVALID}spec.nodeSelector: Invalid value", "airflow.tasks.nodeSelector"),
        (f"{INVALID}spec.containers[0].env[0].name: Invalid value", "airflow.tasks.env"),
        (f"{INVALID}spec.volumes[3].name: Duplicate value", "airflow.tasks.volumes"),
        (f"{INVALID}spec.containers[0].volumeMounts[3].mountPath: x", "airflow.tasks.volumes"),
        (f"{INVALID}spec.containers[0].resources.requests: x", "airflow.tasks.resources"),
        (f"{FORBIDDEN}maximum memory usage per Container is 1Gi", "airflow.tasks.resources"),
        (f'{FORBIDDEN}violates PodSecurity "restricted:latest"', "airflow.tasks"),
        ("something else", "airflow.tasks"),
    ],
)
def test_what_is_refused_names_the_setting(cluster: Cluster, answer: str, setting: str) -> None:
    head, line = refused(cluster, answer)
    assert head == "the API server refuses the pods of tasks; nothing was changed:"
    assert line.startswith(f"  {setting}: ")


def test_messages_have_no_regular_expression(cluster: Cluster) -> None:
    why = "a name (e.g. 'example.com', regex used for validation is '[a-z](\\.a)*')"
    _, line = refused(cluster, f'{INVALID}spec.nodeSelector: Invalid value: "a-.b/c": {why}')
    assert line == (
        '  airflow.tasks.nodeSelector: spec.nodeSelector: Invalid value: "a-.b/c": a name '
        "(e.g. 'example.com')"
    )


def test_each_refused_field_has_a_line(cluster: Cluster) -> None:
    lines = refused(
        cluster, f"{INVALID}\n* spec.tolerations[0].key: Invalid\n* spec.volumes[1].name: Duplicate"
    )
    assert lines[1:] == [
        "  airflow.tasks.tolerations: spec.tolerations[0].key: Invalid",
        "  airflow.tasks.volumes: spec.volumes[1].name: Duplicate",
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (f'{FORBIDDEN}User "x" cannot create resource "pods"', "was not tried in the cluster"),
        (f"{FORBIDDEN}exceeded quota: small", "was not tried in the cluster"),
        (f"{FORBIDDEN}error looking up service account a/default", "was not tried in the cluster"),
        (
            "Warning: would violate PodSecurity: volumes\nerror: 1 warning received",
            "warning: task pods: airflow.tasks.volumes: would violate PodSecurity",
        ),
    ],
)
def test_what_says_nothing_about_the_template_stops_nothing(
    cluster: Cluster, capsys: pytest.CaptureFixture[str], answer: str, said: str
) -> None:
    cluster.set(ANSWER=answer)
    try_task_pod(target())
    printed = capsys.readouterr()
    assert said in printed.out + printed.err


@pytest.mark.parametrize("engine", ["kubectl", "pulumi"])
def test_up_stops_before_it_changes_anything(
    cluster: Cluster, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulumi_cli, "require", lambda: "pulumi")
    cluster.set(ANSWER=f"{INVALID}spec.tolerations[0].key: Invalid value")
    with pytest.raises(RefusedError):
        up(target(f"engine={engine}"))
    changing = ("apply", "delete", "annotate", "patch", "rollout")
    assert not [call for call in cluster.calls if {*call.split()} & {*changing}]
    assert [call for call in cluster.calls if " create " in call] == [cluster.calls[-1]]


def test_without_a_cluster_policies_go_on(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.set(DOWN="1")
    try_if_reachable(target())
    printed = capsys.readouterr()
    assert "was not tried in the cluster" in printed.out + printed.err
    cluster.set(DOWN="", ANSWER=f"{INVALID}spec.tolerations[0].key: Invalid value")
    with pytest.raises(RefusedError, match=r"airflow\.tasks\.tolerations"):
        try_if_reachable(target())
