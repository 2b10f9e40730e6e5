"""The image's KubernetesExecutor, on stand-ins for what it inherits: tasks that wait for a pod.

tests/cluster/test_task_pod_failures.py has the same on both Airflow lines.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from airflow_kubernetes.paths import ROOT

from .test_task_pod_ends import QUOTA, ApiError, HTTPError

CONFIG = str(ROOT / "images" / "airflow" / "config")
EXECUTORS = "airflow.providers.cncf.kubernetes.executors"


class Key(NamedTuple):
    dag_id: str
    task_id: str
    run_id: str
    try_number: int
    map_index: int = -1


class Job(NamedTuple):
    key: Key


class Upstream:
    """What AirflowKubernetesScheduler does: one request for each pod, and its answer."""

    def __init__(self, answers: list[Exception | None]) -> None:
        self.answers, self.requests = answers, list[Job]()

    def run_next(self, job: Job) -> None:
        self.requests.append(job)
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer


class Sync:
    """What KubernetesExecutor does with the pods' API."""

    error: Exception | None = None

    def __init__(self, *_: Any) -> None:
        self.running: set[Key] = set()
        self.log = self

    def warning(self, *_: Any) -> None:
        """A logger's."""

    def sync(self) -> None:
        if self.error is not None:
            raise self.error


def stand_ins() -> dict[str, dict[str, Any]]:
    """The modules that the executor imports, with the names that it takes from them."""
    types = dict.fromkeys(("POD_REVOKED_KEY", "KubernetesJob", "KubernetesResults"), Job)
    return {
        "airflow.models.log": {"Log": object},
        "airflow.models.taskinstance": {"TaskInstance": object},
        "airflow.models.taskinstancehistory": {"TaskInstanceHistory": object},
        "airflow.models.taskinstancekey": {"TaskInstanceKey": Key},
        "airflow.utils.session": {"create_session": None},
        "airflow.utils.state": {"TaskInstanceState": object},
        f"{EXECUTORS}.kubernetes_executor_utils": {
            "AirflowKubernetesScheduler": Upstream,
            "KubernetesJobWatcher": object,
        },
        f"{EXECUTORS}.kubernetes_executor": {"KubernetesExecutor": Sync},
        f"{EXECUTORS}.kubernetes_executor_types": {**types, "KubernetesWatch": Job},
        "kubernetes.client.exceptions": {"ApiException": ApiError},
        "sqlalchemy": {"select": None},
        "urllib3.exceptions": {"HTTPError": HTTPError},
    }


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    for name, content in stand_ins().items():
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            path = ".".join(parts[:end])
            if path not in sys.modules or end == len(parts):
                monkeypatch.setitem(sys.modules, path, ModuleType(path))
        vars(sys.modules[name]).update(content)
        parent = sys.modules[name.rpartition(".")[0]] if "." in name else None
        if parent is not None:
            monkeypatch.setattr(parent, parts[-1], sys.modules[name], raising=False)
    monkeypatch.syspath_prepend(CONFIG)
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path))
    monkeypatch.setenv("TASK_DISRUPTION_RETRIES", "3")
    sys.modules.pop("task_pods.executor", None)
    module = importlib.import_module("task_pods.executor")
    clock = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    module.clock = clock  # type: ignore[attr-defined]
    yield module
    sys.modules.pop("task_pods.executor", None)


JOBS = [Job(Key("d", f"t{number}", "r", 1)) for number in range(4)]


def log(folder: Path, job: Job) -> str:
    (file,) = folder.glob(f"dag_id=d/run_id=r/task_id={job.key.task_id}/attempt=1.log.*")
    return file.read_text()


def test_many_tasks_wait_for_a_quota_with_one_request_at_a_time(
    executor: ModuleType, tmp_path: Path
) -> None:
    pods = executor.TaskPods([ApiError(403, QUOTA), ApiError(403, QUOTA)])
    for job in JOBS:
        pods.run_next(job)
    assert pods.requests == JOBS[:1]
    assert [*pods.due(16)] == []
    for job in JOBS:
        assert "waits for the cluster" in log(tmp_path, job)
        assert QUOTA in log(tmp_path, job)

    executor.clock[0] += executor.PAUSE
    for job in pods.due(16):
        pods.run_next(job)
    # The task that was refused is not the next one to be tried: it may be what never fits.
    assert pods.requests == JOBS[:2]
    executor.clock[0] += executor.PAUSE
    for job in pods.due(16):
        pods.run_next(job)
    assert {*pods.requests[2:]} == {*JOBS}
    assert not pods.waiting
    for job in JOBS:
        assert log(tmp_path, job).count("waits for the cluster") == 1
        assert "its pod was created, after 4 s" in log(tmp_path, job)


def test_the_api_server_says_how_long_it_is_busy(executor: ModuleType) -> None:
    pods = executor.TaskPods([ApiError(429, "busy", Retry_After="30")])
    pods.run_next(JOBS[0])
    executor.clock[0] += 29
    assert [*pods.due(16)] == []
    executor.clock[0] += 1
    assert [*pods.due(16)] == JOBS[:1]


def test_what_is_refused_for_good_fails_with_the_reason_in_its_log(
    executor: ModuleType, tmp_path: Path
) -> None:
    pods = executor.TaskPods([ApiError(422, "no such field")])
    with pytest.raises(ApiError):
        pods.run_next(JOBS[0])
    assert "its pod cannot be created: no such field" in log(tmp_path, JOBS[0])
    assert not pods.waiting
    pods.run_next(JOBS[1])  # nothing is held for it
    assert pods.requests == JOBS[:2]


def test_a_task_that_waits_no_longer_is_dropped(executor: ModuleType) -> None:
    pods = executor.TaskPods([MAX_RETRIES])
    pods.run_next(JOBS[0])
    pods.forget(JOBS[0].key)
    executor.clock[0] += executor.PAUSE
    assert [*pods.due(16)] == []


MAX_RETRIES = HTTPError("connection refused")


def test_a_lost_api_server_does_not_end_the_scheduler(executor: ModuleType) -> None:
    scheduler = executor.KubernetesExecutor()
    scheduler.kube_scheduler = executor.TaskPods([])
    scheduler.kube_config = scheduler
    scheduler.worker_pods_creation_batch_size = 16
    for error in (MAX_RETRIES, ApiError(503)):
        scheduler.error = error
        scheduler.sync()
    scheduler.error = ValueError("a mistake")
    with pytest.raises(ValueError, match="a mistake"):
        scheduler.sync()
