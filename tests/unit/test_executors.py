"""Executor names: what each becomes on a release, and where a task is looked for."""

import importlib.util
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from airflow_kubernetes.airflow.executors import EXECUTORS, UnknownExecutorError
from airflow_kubernetes.airflow.manifests import celery_manifests
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS, RELEASES
from airflow_kubernetes.environment import load
from airflow_kubernetes.settings.fields import ShortName
from pydantic import TypeAdapter, ValidationError

IMAGE = Path(__file__).parents[2] / "images" / "airflow"


def program(name: str) -> ModuleType:
    """A module of the Airflow image, as it is there."""
    spec = importlib.util.spec_from_file_location(name, IMAGE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sys.path += [str(IMAGE), str(IMAGE / "config")]  # as in the image, where these are in one folder
task_location, pending_pods = program("task_location"), program("pending_pods")


@pytest.mark.parametrize("name", EXECUTORS)
def test_2_11_has_a_class_of_each_name(name: str) -> None:
    assert RELEASES[PREVIOUS].executor(name).setting == name


def test_3_3_spells_hybrids_as_lists_and_sends_a_queue_to_pods() -> None:
    settings = {name: RELEASES[CURRENT].executor(name) for name in EXECUTORS}
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
    row = RELEASES[CURRENT].executor(text)
    assert row.setting == text.replace(", ", ",")
    assert " ".join(k for k in ("local", "celery", "kubernetes") if getattr(row, k)) == where
    assert row.pods_by_policy == policy


@pytest.mark.parametrize("text", ["", "LocalExecutor,", "a:b:LocalExecutor", "A;t=B", "k8s:"])
def test_nonsense_is_refused(text: str) -> None:
    for release in RELEASES.values():
        with pytest.raises(UnknownExecutorError):
            release.executor(text)


@pytest.mark.parametrize(
    ("host", "location"),
    [
        ("airflow-scheduler-5d8b845fdf-c84f7", "scheduler"),
        ("airflow-worker-default-6fc785cb54-mvqrt", "worker"),
        ("queues-on-default-8a7f0wqz", "pod"),
        # A DAG of such a name: its pods end in eight characters.
        ("airflow-worker-default-task-8a7f0wqz", "pod"),
        ("airflow-schedulers-dag-task-1", "pod"),
    ],
)
def test_the_location_of_a_task_is_in_its_hosts_name(host: str, location: str) -> None:
    assert task_location.location_of(host) == location


@pytest.mark.parametrize(
    ("setting", "executor", "queue", "location"),
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
def test_the_location_where_an_executor_looks(
    setting: str, executor: str | None, queue: str, location: str | None
) -> None:
    assert task_location.expected_location(setting, executor, queue) == location


def test_a_task_on_a_worker_of_the_longest_name_is_found() -> None:
    def accepted(name: str) -> bool:
        try:
            TypeAdapter(ShortName).validate_python(name)
        except ValidationError:
            return False
        return True

    longest = max(filter(accepted, ("w" * length for length in range(1, 64))), key=len)
    # ReplicaSet's name and a dash, cut to 58 characters by the API server, then five more.
    host = f"airflow-worker-{longest}-{'f' * 10}-"[:58] + "mvqrt"
    assert task_location.location_of(host) == "worker"


@pytest.mark.parametrize(
    ("columns", "query"),
    [([("last_heartbeat_at",)], "ALIVE_BY_TASK"), ([], "ALIVE_BY_JOB")],
)
def test_a_living_task_is_found_on_the_schema_of_either_line(
    columns: list[tuple[str]], query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "MySQLdb", ModuleType("MySQLdb"))
    monkeypatch.syspath_prepend(IMAGE)
    script = program("wait_for_tasks")
    own = ("a", "b", "airflow-scheduler-5d8b845fdf-c84f7", None, "default")
    others = ("c", "d", "airflow-worker-default-6fc785cb54-mvqrt", None, "default")
    answers: dict[str, list[Any]] = {
        script.TASK_HAS_HEARTBEAT: columns,
        getattr(script, query): [own, others],
    }

    class Cursor:
        rows: list[Any]

        def execute(self, statement: str, _: object = None) -> None:
            self.rows = answers[statement]

        def fetchone(self) -> Any:
            return next(iter(self.rows), None)

        def fetchall(self) -> list[Any]:
            return self.rows

    expected = ["c.d on airflow-worker-default-6fc785cb54-mvqrt"]
    assert script.elsewhere(Cursor(), "KubernetesExecutor") == expected


def test_hybrids_of_3_3_serve_the_queue_of_runs_that_began_before_them() -> None:
    def queues(overrides: str) -> str:
        objects = celery_manifests(load("dev", overrides), defaultdict(str))
        (worker,) = [obj for obj in objects if obj["metadata"]["name"] == "airflow-worker-default"]
        args: list[str] = worker["spec"]["template"]["spec"]["containers"][0]["args"]
        return args[args.index("--queues") + 1]

    hybrid = "airflow.executor=CeleryKubernetesExecutor"
    assert queues(hybrid) == "default,kubernetes"
    # The hybrid class of 2.11 routes by queue whenever a task is queued.
    assert queues(f"{hybrid} airflow.version={PREVIOUS}") == "default"
    assert queues("airflow.executor=CeleryExecutor") == "default,kubernetes"


def test_the_id_of_a_queued_task_says_who_queued_it() -> None:
    assert task_location.location_of_queued("17") == "pod"
    assert task_location.location_of_queued("0b0e2d1c-4a5f-4a3e-9a41-d1f4f2f3a0aa") == "worker"


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
