"""An upgrade that fails before its migration: the old release is started again as it was."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from airflow_kubernetes.cli import scale, upgrade
from airflow_kubernetes.cli.target import Target
from airflow_kubernetes.errors import CommandError
from airflow_kubernetes.kubectl.client import KubectlError
from airflow_kubernetes.kubectl.wait import RolloutError

OLD = "2.11.2"
REPLICAS = {"airflow-scheduler": 1, "airflow-worker-default": 4, "airflow-flower": 0}


class Cluster:
    """A kubectl with Deployments; `down` lets every change fail."""

    def __init__(self, *, down: bool = False) -> None:
        self.replicas, self.down, self.deleted = dict.fromkeys(REPLICAS, 0), down, list[str]()

    def get(self, kind: str, *_: str) -> list[dict[str, Any]]:
        assert kind == "deployments"
        return [
            {"metadata": {"name": name}, "spec": {"replicas": count}}
            for name, count in self.replicas.items()
        ]

    def get_if_allowed(self, *_: str) -> list[dict[str, Any]]:
        return []  # no KEDA

    def run(self, verb: str, *args: str) -> str:
        if self.down:
            raise KubectlError("no answer")
        if verb == "patch":
            self.replicas[args[1]] = json.loads(args[3])["spec"]["replicas"]
        else:
            self.deleted.append(args[1])
        return ""

    def target(self) -> Target:
        return cast(Target, SimpleNamespace(kubectl=self, environment="dev"))


@pytest.fixture(autouse=True)
def ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that was started becomes ready."""
    monkeypatch.setattr(upgrade, "wait", lambda *_: None)


def fail(cluster: Cluster, error: BaseException) -> None:
    with upgrade._undone_on_failure(cluster.target(), OLD, REPLICAS):
        raise error


def test_a_backup_that_fails_leaves_the_old_release_running() -> None:
    cluster = Cluster()
    with pytest.raises(CommandError) as failure:
        fail(cluster, RolloutError("Job x: No space left on device"))
    assert str(failure.value) == (
        "Job x: No space left on device\nNothing was migrated; Airflow 2.11.2 runs again. Fix the "
        "cause and run make upgrade again"
    )
    assert cluster.replicas == REPLICAS
    assert cluster.deleted == ["airflow-release-change"]


def test_ctrl_c_does_too() -> None:
    cluster = Cluster()
    with pytest.raises(KeyboardInterrupt):
        fail(cluster, KeyboardInterrupt())
    assert cluster.replicas == REPLICAS


def test_if_it_cannot_be_started_again_the_message_says_how() -> None:
    with pytest.raises(CommandError) as failure:
        fail(Cluster(down=True), RolloutError("no space"))
    message = str(failure.value)
    assert message.startswith("no space\nNothing was migrated, but Airflow 2.11.2 does not run")
    assert "no answer\nSet airflow.version: 2.11.2 in values/common.yaml and run make up" in message


def test_after_a_killed_upgrade_the_record_says_what_ran() -> None:
    cluster = Cluster()
    recorded = {"from": OLD, "replicas": json.dumps(REPLICAS)}
    assert upgrade._replicas(cluster.target(), recorded) == REPLICAS
    assert upgrade._replicas(cluster.target(), {}) == dict.fromkeys(REPLICAS, 0)


def test_autoscaled_workers_are_woken() -> None:
    cluster = Cluster()
    spec = {"scaleTargetRef": {"name": "airflow-worker-default"}, "minReplicas": 2}
    scaler = {"metadata": {"name": "airflow-worker-default"}, "spec": spec}
    deployments = cluster.get("deployments")
    target = cluster.target()
    found = {"horizontalpodautoscalers": [scaler], "deployments": deployments}
    cast(Any, cluster).get = lambda kind, *_: found[kind]
    scale.wake(target)
    assert cluster.replicas == {**dict.fromkeys(REPLICAS, 0), "airflow-worker-default": 2}
