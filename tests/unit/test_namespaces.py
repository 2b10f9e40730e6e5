"""Commands and engines know two namespaces: Airflow's and that of the pods that tasks launch."""

import base64
import json
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest
from airflow_kubernetes.cli.down import down
from airflow_kubernetes.cli.prune import _running
from airflow_kubernetes.cli.status import status
from airflow_kubernetes.cli.target import Target
from airflow_kubernetes.cli.up import _clear_task_pods
from airflow_kubernetes.environment import load
from airflow_kubernetes.kubectl import foundation
from airflow_kubernetes.kubectl.client import Kubectl, KubectlError
from airflow_kubernetes.kubernetes.manifest import Manifest
from airflow_kubernetes.kubernetes.namespace import launched_pods_namespace, namespace
from airflow_kubernetes.registry import login
from airflow_kubernetes.render import objects
from airflow_kubernetes.settings.schema import Settings


class Cluster:
    """Stands in for kubectl: its calls, and what `get` finds, by namespace and kind and name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.applied: list[Manifest] = []
        self.found: dict[tuple[str, str], list[Manifest]] = {}
        self.forbidden: set[str] = set()
        cluster = self

        def run(kubectl: Kubectl, *args: str, **more: Any) -> str:
            if args[0] == "diff":
                return ""
            cluster.calls.append(f"{kubectl.namespace}: {' '.join(args)}")
            cluster.applied += more.get("objects") or []
            return "[output]\n"

        def get(kubectl: Kubectl, *args: str) -> list[Manifest]:
            if kubectl.namespace in cluster.forbidden:
                raise KubectlError("kubectl get: Error from server (Forbidden): no")
            key = " ".join(args)
            return cluster.found.get((kubectl.namespace, key), [])

        monkeypatch.setattr(Kubectl, "run", run)
        monkeypatch.setattr(Kubectl, "get", get)
        monkeypatch.setattr(Kubectl, "reach", lambda _: None)

    def has(self, place: str, key: str, *found: Manifest) -> None:
        self.found[place, key] = list(found)

    def launches_pods(self) -> None:
        self.has("airflow-tasks", "namespace airflow-tasks", launched_pods_namespace("airflow"))


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    return Cluster(monkeypatch)


def of(overrides: str = "") -> Target:
    return Target.load("sandbox", f"engine=kubectl {overrides}")


def test_down_removes_what_runs_in_both_and_keeps_both(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.launches_pods()
    protected = "secrets,persistentvolumeclaims --selector=airflow-kubernetes/protected=true"
    cluster.has("airflow", protected, {"kind": "Secret", "metadata": {"name": "airflow-keys"}})
    down(of())
    deletes = [call for call in cluster.calls if ": delete " in call]
    places = [call.partition(":")[0] for call in deletes]
    assert places == ["airflow", "airflow-tasks", "airflow", "airflow-tasks"]
    assert "protected!=true" in deletes[1]
    assert "delete pods --selector=kubernetes_pod_operator=True" in deletes[3]
    output = capsys.readouterr().out
    assert "  Namespace airflow\n  Namespace airflow-tasks\n" in output
    assert "delete namespace airflow airflow-tasks" in output
    assert not any("delete namespace" in call for call in cluster.calls)


def test_where_there_is_no_second_namespace_nothing_looks_into_one(cluster: Cluster) -> None:
    for forbidden in (set[str](), {"airflow-tasks"}):
        cluster.forbidden = forbidden
        down(of("airflow.tasks.launchPods=false"))
        status(of("airflow.tasks.launchPods=false"))
    assert not any(call.startswith("airflow-tasks:") for call in cluster.calls)


def test_a_namespace_of_another_s_is_not_taken_for_that_of_launched_pods(cluster: Cluster) -> None:
    cluster.has("airflow-tasks", "namespace airflow-tasks", namespace("airflow-tasks", "kubectl"))
    down(of())
    assert not any(call.startswith("airflow-tasks:") for call in cluster.calls)


def test_status_shows_launched_pods_and_their_quota(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.launches_pods()
    status(of())
    assert "airflow-tasks: get pods,pvc,resourcequotas" in cluster.calls
    assert "namespace airflow-tasks, of the pods that tasks launch:" in capsys.readouterr().out


def test_images_of_launched_pods_are_in_use(cluster: Cluster) -> None:
    cluster.launches_pods()
    running = "pods,replicasets,statefulsets,jobs,cronjobs,configmaps"
    cluster.has("airflow-tasks", running, {"image": "task-pandas-1@sha256:1"})
    assert "task-pandas-1@sha256:1" in "".join(_running(of(), None))


def test_launched_pods_end_where_tasks_may_launch_none(cluster: Cluster) -> None:
    cluster.launches_pods()
    _clear_task_pods(of())
    assert cluster.calls == []
    _clear_task_pods(of("airflow.tasks.launchPods=false"))
    (call,) = cluster.calls
    assert call.startswith("airflow-tasks: delete pods --selector=kubernetes_pod_operator=True")


def settings(overrides: str = "") -> Settings:
    return load("sandbox", f"engine=kubectl {overrides}")


def test_two_airflows_do_not_share_a_namespace(cluster: Cluster) -> None:
    kubectl = Kubectl("context", "airflow")
    foundation.check_namespaces(kubectl, settings())
    keys: Manifest = {"kind": "Secret", "metadata": {"name": "airflow-keys"}}
    cluster.has("airflow-tasks", "secret airflow-keys", keys)
    with pytest.raises(foundation.FoundationError, match="another Airflow is there, whose Secrets"):
        foundation.check_namespaces(kubectl, settings())
    foundation.check_namespaces(kubectl, settings("airflow.tasks.launchPods=false"))

    cluster.has("airflow", "namespace airflow", launched_pods_namespace("x"))
    with pytest.raises(foundation.FoundationError, match="for the pods that tasks of another"):
        foundation.check_namespaces(kubectl, settings("airflow.tasks.launchPods=false"))
    with pytest.raises(foundation.FoundationError):
        foundation.lay(kubectl, settings(), [], [])
    assert cluster.calls == []


def test_both_namespaces_exist_before_what_is_in_them(cluster: Cluster) -> None:
    foundation.lay(Kubectl("context", "airflow"), settings(), [], objects("sandbox"))
    first = [obj["metadata"]["name"] for obj in cluster.applied if obj["kind"] == "Namespace"]
    assert first == ["airflow", "airflow-tasks"]
    assert [obj["kind"] for obj in cluster.applied[:2]] == ["Namespace", "Namespace"]


def test_launched_pods_pull_with_the_login_that_the_cluster_has(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether or not this command was given one."""
    for name in (login.USER, login.PASSWORD):
        monkeypatch.delenv(name, raising=False)
    data = {".dockerconfigjson": base64.b64encode(b'{"auths": {}}').decode()}
    original: Manifest = {"metadata": {"name": "airflow-registry"}, "data": data}
    cluster.has("airflow", "secret airflow-registry", original)
    rendered = objects("sandbox", "images.login=true")
    foundation.lay(Kubectl("context", "airflow"), settings("images.login=true"), [], rendered)
    (copy,) = (obj for obj in cluster.applied if obj["kind"] == "Secret")
    assert copy["metadata"]["namespace"] == "airflow-tasks"
    assert copy["stringData"] == {".dockerconfigjson": '{"auths": {}}'}

    cluster.applied.clear()
    more = "images.login=true airflow.tasks.launchPods=false"
    foundation.lay(Kubectl("context", "airflow"), settings(more), [], objects("sandbox", more))
    assert not any(obj["kind"] == "Secret" for obj in cluster.applied)


def test_kubectl_takes_givenof_both_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the option --namespace it refuses those of another."""
    commands: list[list[str]] = []

    def run(command: list[str], **options: Any) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=0, stdout="", stderr=json.dumps(options["input"]))

    monkeypatch.setattr(subprocess, "run", run)
    kubectl = Kubectl("context", "airflow")

    def obj(**metadata: str) -> Manifest:
        return {"kind": "Role", "metadata": {"name": "x", **metadata}}

    for given, has_option in (
        ([obj(), obj(namespace="airflow")], True),
        ([obj(namespace="airflow"), obj(namespace="airflow-tasks")], False),
    ):
        kubectl.run("apply", "--filename=-", objects=given)
        assert ("--namespace=airflow" in commands[-1]) == has_option
    kubectl.tasks.run("get", "pods")
    assert "--namespace=airflow-tasks" in commands[-1]
