"""Executor names: what each becomes on a release, and where a task is looked for."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from airflow_kubernetes.airflow.executors import EXECUTORS, UnknownExecutorError
from airflow_kubernetes.airflow.manifests import celery_manifests
from airflow_kubernetes.airflow.releases import RELEASES
from airflow_kubernetes.settings.load import load

IMAGE = Path(__file__).parents[2] / "images" / "airflow"


def program(name: str) -> ModuleType:
    """A module of the Airflow image, as it is there."""
    spec = importlib.util.spec_from_file_location(name, IMAGE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


places, pending_pods = program("places"), program("pending_pods")


@pytest.mark.parametrize("name", EXECUTORS)
def test_2_11_has_a_class_of_each_name(name: str) -> None:
    assert RELEASES["2.11.2"].executor(name).setting == name


def test_3_3_spells_hybrids_as_lists_and_sends_a_queue_to_pods() -> None:
    settings = {name: RELEASES["3.3.2"].executor(name) for name in EXECUTORS}
    assert {name: row.setting for name, row in settings.items()} == {
        "KubernetesExecutor": "KubernetesExecutor",
        "CeleryExecutor": "CeleryExecutor",
        "LocalExecutor": "LocalExecutor",
        "SequentialExecutor": "LocalExecutor",
        "CeleryKubernetesExecutor": "CeleryExecutor,KubernetesExecutor",
        "LocalKubernetesExecutor": "LocalExecutor,KubernetesExecutor",
    }
    routed = {name for name, row in settings.items() if row.pods_by_policy}
    assert routed == {"CeleryKubernetesExecutor", "LocalKubernetesExecutor"}
    assert settings["SequentialExecutor"].serial


@pytest.mark.parametrize(
    ("text", "where", "policy"),
    [
        ("LocalExecutor,k8s:KubernetesExecutor", "local kubernetes", "k8s"),
        ("LocalExecutor, KubernetesExecutor", "local kubernetes", "KubernetesExecutor"),
        ("KubernetesExecutor,CeleryExecutor", "celery kubernetes", None),
        ("k8s:KubernetesExecutor", "kubernetes", None),
        ("CeleryExecutor,LocalExecutor,KubernetesExecutor", "local celery kubernetes",
         "KubernetesExecutor"),
    ],
)  # fmt: skip
def test_3_3_takes_lists_and_aliases(text: str, where: str, policy: str | None) -> None:
    row = RELEASES["3.3.2"].executor(text)
    assert row.setting == text.replace(", ", ",")
    assert " ".join(k for k in ("local", "celery", "kubernetes") if getattr(row, k)) == where
    assert row.pods_by_policy == policy


@pytest.mark.parametrize("text", ["", "LocalExecutor,", "a:b:LocalExecutor", "A;t=B", "k8s:"])
def test_nonsense_is_refused(text: str) -> None:
    for release in RELEASES.values():
        with pytest.raises(UnknownExecutorError):
            release.executor(text)


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("airflow-scheduler-5d8b845fdf-c84f7", "scheduler"),
        ("airflow-worker-default-6fc785cb54-mvqrt", "worker"),
        ("queues-on-default-8a7f0wqz", "pod"),
        # A DAG of such a name: its pods end in eight characters.
        ("airflow-worker-default-task-8a7f0wqz", "pod"),
        ("airflow-schedulers-dag-task-1", "pod"),
    ],
)
def test_the_place_of_a_task_is_in_its_hosts_name(host: str, place: str) -> None:
    assert places.place_of(host) == place


@pytest.mark.parametrize(
    ("setting", "executor", "queue", "place"),
    [
        ("CeleryKubernetesExecutor", None, "default", "worker"),
        ("CeleryKubernetesExecutor", None, "kubernetes", "pod"),
        ("LocalKubernetesExecutor", None, "default", "scheduler"),
        ("CeleryExecutor", None, "kubernetes", "worker"),
        ("CeleryExecutor,KubernetesExecutor", None, "kubernetes", "worker"),
        ("CeleryExecutor,KubernetesExecutor", "KubernetesExecutor", "kubernetes", "pod"),
        ("LocalExecutor,k8s:KubernetesExecutor", "k8s", "kubernetes", "pod"),
        ("LocalExecutor,k8s:KubernetesExecutor", "KubernetesExecutor", "kubernetes", "pod"),
        ("LocalExecutor", "KubernetesExecutor", "kubernetes", None),
        ("CeleryExecutor,LocalExecutor", "airflow.executors.local_executor.LocalExecutor",
         "default", "scheduler"),
    ],
)  # fmt: skip
def test_the_place_where_an_executor_looks(
    setting: str, executor: str | None, queue: str, place: str | None
) -> None:
    assert places.place_wanted(setting, executor, queue) == place


def test_hybrids_of_3_3_serve_the_queue_of_runs_that_began_before_them() -> None:
    def queues(overrides: str) -> str:
        objects = celery_manifests(load("dev", overrides), "image")
        (worker,) = [obj for obj in objects if obj["metadata"]["name"] == "airflow-worker-default"]
        args: list[str] = worker["spec"]["template"]["spec"]["containers"][0]["args"]
        return args[args.index("--queues") + 1]

    hybrid = "airflow.executor=CeleryKubernetesExecutor"
    assert queues(hybrid) == "default,kubernetes"
    # The hybrid class of 2.11 routes by queue whenever a task is queued.
    assert queues(f"{hybrid} airflow.version=2.11.2") == "default"
    assert queues("airflow.executor=CeleryExecutor") == "default,kubernetes"


def test_what_was_queued_tells_by_whom() -> None:
    assert places.place_of_queued("17") == "pod"
    assert places.place_of_queued("0b0e2d1c-4a5f-4a3e-9a41-d1f4f2f3a0aa") == "worker"


def pod(**status: Any) -> dict[str, Any]:
    annotations = {"dag_id": "d", "run_id": "r", "task_id": "t", "try_number": "2"}
    return {"metadata": {"annotations": annotations}, "status": status}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (
            {"containerStatuses": [
                {"state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}}
            ]},
            "ErrImagePull: no such image",
        ),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False",
                             "reason": "Unschedulable", "message": "0/1 nodes"}]},
            "Unschedulable: 0/1 nodes",
        ),
        (
            {"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]},
            "its container is being created",
        ),
    ],
)  # fmt: skip
def test_the_reason_of_a_pending_pod(status: dict[str, Any], reason: str) -> None:
    assert pending_pods.reason(pod(**status)) == reason


def test_the_reason_goes_beside_the_tasks_own_log(tmp_path: Path) -> None:
    one = pod()
    expected = tmp_path / "dag_id=d/run_id=r/task_id=t/attempt=2.log.pending"
    assert pending_pods.log_file(tmp_path, one) == expected
    one["metadata"]["annotations"]["map_index"] = "3"
    expected = tmp_path / "dag_id=d/run_id=r/task_id=t/map_index=3/attempt=2.log.pending"
    assert pending_pods.log_file(tmp_path, one) == expected


def test_no_name_leads_out_of_the_logs(tmp_path: Path) -> None:
    one = pod()
    one["metadata"]["annotations"]["dag_id"] = "x/../../../../etc"
    assert pending_pods.log_file(tmp_path, one) is None
    assert pending_pods.log_file(tmp_path, {"metadata": {}}) is None
