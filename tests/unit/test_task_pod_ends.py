"""How a task pod ended, what may be waited for, and where both are written."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from airflow_kubernetes.paths import ROOT

from .test_executors import program

sys.path.append(str(ROOT / "images" / "airflow" / "config"))
ends = importlib.import_module("task_pods.ends")
refusals = importlib.import_module("task_pods.refusals")
task_log = importlib.import_module("task_log")
sweep_pods, kubernetes_api = program("sweep_pods"), program("kubernetes_api")

DELETED = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
TMP = 'Usage of EmptyDir volume "tmp" exceeds the limit "1Gi". '
DATA = 'Usage of EmptyDir volume "data" exceeds the limit "1Gi". '
POD_STORAGE = "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. "
CONTAINER_STORAGE = 'Container base exceeded its local ephemeral storage limit "1Gi". '
LOW = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. "


def pod(phase: str, metadata: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    """A pod as the API server describes it, whose container may have 768Mi."""
    return {
        "metadata": {"name": "p", **(metadata or {})},
        "spec": {"containers": [{"name": "base", "resources": {"limits": {"memory": "768Mi"}}}]},
        "status": {"phase": phase, **status},
    }


def terminated(reason: str, code: int = 137) -> list[dict[str, Any]]:
    state = {"terminated": {"reason": reason, "exitCode": code}}
    return [{"name": "base", "state": state}]


def waiting(reason: str) -> list[dict[str, Any]]:
    return [{"name": "base", "state": {"waiting": {"reason": reason, "message": "m"}}}]


def disrupted(reason: str) -> list[dict[str, str]]:
    return [{"type": "DisruptionTarget", "status": "True", "reason": reason, "message": "why"}]


def test_what_the_cluster_ends_is_not_the_tasks_failure() -> None:
    killed = terminated("Error")
    by_cluster = {
        "drained": (pod("Failed", DELETED, conditions=disrupted("EvictionByEvictionAPI"),
                        containerStatuses=killed), False, "EvictionByEvictionAPI: why"),
        "preempted": (pod("Failed", DELETED, conditions=disrupted("PreemptionByScheduler")),
                      False, "PreemptionByScheduler"),
        "spot node gone": (pod("Failed", DELETED, conditions=disrupted("DeletionByPodGC")),
                           True, "DeletionByPodGC"),
        "taint": (pod("Failed", DELETED, conditions=disrupted("DeletionByTaintManager")),
                  False, "DeletionByTaintManager"),
        "node under pressure": (pod("Failed", reason="Evicted", message=LOW,
                                    conditions=disrupted("TerminationByKubelet")),
                                False, "low on resource"),
        "the same, before the condition": (pod("Failed", reason="Evicted", message=LOW), False,
                                           "low on resource"),
        "node shut down": (pod("Failed", reason="Terminated", message="node shutdown"), False,
                           "node shutdown"),
        "node restarted": (pod("Failed", containerStatuses=terminated("ContainerStatusUnknown")),
                           False, "restarted"),
        "refused by its node": (pod("Failed", reason="OutOfcpu", message="no"), False, "OutOfcpu"),
        "deleted while it ran": (pod("Running", DELETED), True, "taken while the task ran"),
        "killed after the grace period": (pod("Failed", DELETED, containerStatuses=killed), False,
                                          "it was deleted"),
        "deleted before it began": (pod("Pending", DELETED), True, "before it began"),
        "out of memory while drained": (
            pod("Failed", DELETED, conditions=disrupted("EvictionByEvictionAPI"),
                containerStatuses=terminated("OOMKilled")), False, "EvictionByEvictionAPI"),
    }  # fmt: skip
    for name, (one, gone, words) in by_cluster.items():
        found = ends.end(one, gone=gone)
        assert found.by_cluster, name
        assert not found.limit, name
        assert words in found.text, name


def test_a_limit_of_the_tasks_own_is_named_with_what_to_raise() -> None:
    own = {
        "memory": (pod("Failed", containerStatuses=terminated("OOMKilled")),
                   ("768Mi", "airflow.tasks.resources.limits.memory")),
        "full /tmp": (pod("Failed", reason="Evicted", message=TMP),
                      ('"1Gi"', "airflow.tasks.tmpSizeLimit")),
        "full volume": (pod("Failed", reason="Evicted", message=DATA),
                        ('"data"', "airflow.tasks.volumes")),
        "pod's storage": (pod("Failed", reason="Evicted", message=POD_STORAGE),
                          ("1Gi", "ephemeral-storage")),
        "container's storage": (pod("Failed", reason="Evicted", message=CONTAINER_STORAGE),
                                ("1Gi", "ephemeral-storage")),
        "deadline": (pod("Failed", reason="DeadlineExceeded", message="Pod was active"),
                     ("activeDeadlineSeconds",)),
    }  # fmt: skip
    for name, (one, words) in own.items():
        found = ends.end(one, gone=False)
        assert found.limit, name
        assert not found.by_cluster, name
        assert all(word in found.text for word in words), (name, found.text)


def test_a_process_that_was_killed_for_memory_is_said_of_a_pod_that_succeeds() -> None:
    one = pod("Succeeded", containerStatuses=terminated("OOMKilled", 0))
    assert ends.end(one, gone=False) is None
    assert "base used all of its limit, 768Mi" in ends.out_of_memory(one)
    other = pod("Succeeded", containerStatuses=terminated("Completed", 0))
    assert ends.out_of_memory(other) is None


def test_a_pod_that_failed_otherwise_says_its_exit_code() -> None:
    found = ends.end(pod("Failed", containerStatuses=terminated("Error", 3)), gone=False)
    assert found == ends.End("failed: base ended with exit code 3 (Error)")


def test_what_goes_on_or_succeeded_has_not_ended() -> None:
    fatal = frozenset({"InvalidImageName"})
    for one, gone in (
        (pod("Pending"), False),
        (pod("Pending", containerStatuses=waiting("ImagePullBackOff")), False),
        (pod("Pending", containerStatuses=waiting("ErrImagePull")), False),
        (pod("Running"), False),
        (pod("Running", DELETED), False),
        (pod("Succeeded"), False),
        (pod("Succeeded", DELETED), True),
        # Another scheduler's label: for the watch of this one it is deleted.
        (pod("Running"), True),
    ):
        assert ends.end(one, gone=gone, fatal=fatal) is None
    found = ends.end(
        pod("Pending", containerStatuses=waiting("InvalidImageName")), gone=False, fatal=fatal
    )
    assert found == ends.End("cannot start: InvalidImageName: m")


class ApiError(Exception):
    """What either client raises for an answer."""

    def __init__(self, status: int, message: str = "", **headers: str) -> None:
        super().__init__(message)
        self.status, self.reason = status, "reason"
        self.body = json.dumps({"message": message}) if message else ""
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class HTTPError(Exception):
    """By the name of urllib3's."""


class MaxRetryError(HTTPError):
    pass


QUOTA = 'pods "x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=4'


@pytest.mark.parametrize(
    "error",
    [
        ApiError(403, QUOTA),
        ApiError(409, "the object has been modified"),
        *(ApiError(status) for status in (0, 401, 408, 410, 429, 500, 502, 503, 504)),
        MaxRetryError("connection refused"),
        ConnectionResetError("reset"),
    ],
)
def test_what_passes_is_waited_for(error: Exception) -> None:
    assert refusals.passes(error)


@pytest.mark.parametrize(
    "error",
    [
        ApiError(403, "violates PodSecurity"),
        ApiError(403, 'no PriorityClass with name "x" was found'),
        ApiError(400),
        ApiError(422, "spec.containers[0].image: Required value"),
        ValueError("a service account of Airflow's own"),
    ],
)
def test_what_no_waiting_puts_right_fails_the_task(error: Exception) -> None:
    assert not refusals.passes(error)


def test_the_reason_is_what_the_api_server_says() -> None:
    assert refusals.message(ApiError(403, QUOTA)) == QUOTA
    assert refusals.message(ApiError(503)) == "reason"
    busy = ApiError(429)
    busy.body = "Too many requests"
    assert refusals.message(busy) == "Too many requests"
    assert refusals.message(MaxRetryError("connection refused")) == "connection refused"
    assert refusals.retry_after(ApiError(429, Retry_After="7")) == 7
    assert refusals.retry_after(ApiError(429, Retry_After="soon")) == 0
    assert refusals.retry_after(ConnectionResetError()) == 0


TASK = {"dag_id": "d", "run_id": "r", "task_id": "t", "try_number": "2"}


def test_the_reason_goes_beside_the_tasks_own_log(tmp_path: Path) -> None:
    file = task_log.log_file(tmp_path, TASK, "pending")
    assert file == tmp_path / "dag_id=d/run_id=r/task_id=t/attempt=2.log.pending"
    mapped = task_log.log_file(tmp_path, TASK | {"map_index": "3"}, "pending")
    assert mapped == tmp_path / "dag_id=d/run_id=r/task_id=t/map_index=3/attempt=2.log.pending"
    task_log.write(file, "pending", "it waits")
    task_log.write(file, "pending", "it runs")
    assert [line.split(" - ")[1] for line in file.read_text().splitlines()] == [
        "it waits",
        "it runs",
    ]


def test_no_name_leads_out_of_the_logs(tmp_path: Path) -> None:
    assert task_log.log_file(tmp_path, TASK | {"dag_id": "x/../../../../etc"}, "pending") is None
    assert task_log.log_file(tmp_path, {}, "pending") is None


def old(phase: str, seconds: float, *, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    """A pod that was made a day ago, and whose container ended `seconds` ago."""
    made, finished = (f"2026-01-{day}T00:00:00Z" for day in ("01", "02"))
    ended = [{"state": {"terminated": {"finishedAt": finished}}}]
    AGES.update({made: 86400 + seconds, finished: seconds})
    return pod(phase, {"creationTimestamp": made, **(metadata or {})}, containerStatuses=ended)


AGES: dict[str, float] = {}


def test_what_is_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_pods, "age", lambda timestamp: AGES[timestamp])

    def swept(one: dict[str, Any]) -> bool:
        return bool([*sweep_pods.surplus([one], keep_failed=3600, pending=900)])

    assert not swept(old("Failed", 3599))
    assert swept(old("Failed", 3600))
    assert swept(old("Succeeded", 300))
    assert not swept(old("Succeeded", 299))
    assert not swept(old("Running", 10**6))
    assert swept(old("Pending", 900))
    assert not swept(old("Pending", 899))
    assert not swept(old("Failed", 10**6, metadata=DELETED))
