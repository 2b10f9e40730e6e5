"""What the cluster does to task pods, on both lines: tasks wait for it, and run again after it.

The tasks are those of dags/parallel.py, which have two retries of their own.
"""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS

from .conftest import Deployment, in_namespace, wait_for
from .scenarios import end, on, start, wait_until_running

pytestmark = [pytest.mark.cluster, pytest.mark.long]

VALUES = " ".join(
    (
        "airflow.tasks.gracePeriod=30",
        "airflow.tasks.tmpSizeLimit=16Mi",
        "airflow.tasks.disruptionRetries=1",
        "airflow.tasks.failedPodRetention=0",
    )
)
DAG = "parallel_pods"
WORK, OWN_RETRIES = "work", 2


@pytest.fixture(
    scope="module",
    params=[CURRENT, PREVIOUS],
)
def airflow(sandbox: None, request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """One Airflow on each line; it is deleted at the end."""
    place = on(in_namespace("airflow-task-pods", 30092), version=request.param)
    deployment = Deployment(place.namespace, f"{place.overrides} {VALUES}")
    deployment.remove(wait=True)
    deployment.up()
    yield deployment
    deployment.remove(wait=True)


def work(airflow: Deployment, run_id: str) -> dict[str, Any]:
    """The first instance of the task that works."""
    tasks = airflow.rest().tasks(DAG, run_id)
    return next((task for task in tasks if task["task_id"] == WORK), {})


def log(airflow: Deployment, run_id: str, attempt: int | None = None) -> str:
    return airflow.rest().log(DAG, run_id, work(airflow, run_id), attempt)


def pod_of(airflow: Deployment, run_id: str) -> str:
    """The pod in which the task works."""
    (task,) = wait_until_running(airflow, DAG, run_id, WORK)
    hosts = (name for name in airflow.pods("task") if name.startswith(task["hostname"]))
    return next(hosts)


def wait_for_try(airflow: Deployment, run_id: str, attempt: int, seconds: float = 180) -> None:
    wait_for(f"try {attempt}", lambda: work(airflow, run_id).get("try_number") == attempt, seconds)


def check_nothing_of_its_own_was_used(airflow: Deployment, run_id: str, tries: int) -> None:
    task = work(airflow, run_id)
    assert task["try_number"] == tries
    assert task["max_tries"] - (task["try_number"] - 1) == OWN_RETRIES


def test_a_full_quota_is_waited_for(airflow: Deployment) -> None:
    """Every pod of this run waits, is created when there is room, and says so."""
    airflow.kubectl("create", "quota", "full", "--hard=pods=1")
    try:
        start(airflow, DAG, "quota", tasks=2, seconds=0)
        told = wait_for(
            "the reason in the log",
            lambda: [
                found
                for task in airflow.rest().tasks(DAG, "quota")
                if task["state"] == "queued"
                and "exceeded quota: full" in (found := airflow.rest().log(DAG, "quota", task, 1))
            ],
        )
        assert "waits for the cluster" in told[0]
    finally:
        airflow.kubectl("delete", "quota", "full")
    for task in end(airflow, DAG, "quota"):
        assert task["try_number"] == 1
        assert task["state"] == "success"
    numbers = next(
        task for task in airflow.rest().tasks(DAG, "quota") if task["task_id"] == "numbers"
    )
    after = airflow.rest().log(DAG, "quota", numbers, 1)
    assert "exceeded quota: full" in after
    assert "its pod was created, after" in after


def test_a_task_whose_pod_is_evicted_runs_again_within_seconds(airflow: Deployment) -> None:
    start(airflow, DAG, "evicted", tasks=1, seconds=20)
    pod = pod_of(airflow, "evicted")
    evict(airflow, pod, grace=1)
    # By its heartbeats alone it would be known after minutes.
    wait_for_try(airflow, "evicted", 2, 60)
    end(airflow, DAG, "evicted")
    check_nothing_of_its_own_was_used(airflow, "evicted", 2)
    first = log(airflow, "evicted", 1)
    assert "EvictionByEvictionAPI" in first
    assert "without using one of its own retries" in first


def evict(airflow: Deployment, pod: str, grace: int | None = None) -> None:
    """What `kubectl drain` does with a pod."""
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod},
        "deleteOptions": {} if grace is None else {"gracePeriodSeconds": grace},
    }
    path = f"/api/v1/namespaces/{airflow.namespace}/pods/{pod}/eviction"
    subprocess.run(
        ["kubectl", "create", "--raw", path, "-f", "-"],
        input=json.dumps(eviction),
        text=True,
        check=True,
        capture_output=True,
    )


def test_a_drained_node_waits_for_the_task(airflow: Deployment) -> None:
    start(airflow, DAG, "drained", tasks=1, seconds=15)
    evict(airflow, pod_of(airflow, "drained"))
    end(airflow, DAG, "drained")
    check_nothing_of_its_own_was_used(airflow, "drained", 1)
    found = log(airflow, "drained", 1)
    assert "is being taken: EvictionByEvictionAPI" in found
    assert "task 0 ends" in found


def test_a_deleted_pod_is_known_up_to_the_bound(airflow: Deployment) -> None:
    start(airflow, DAG, "deleted", tasks=1, seconds=20)
    for attempt in (1, 2):
        wait_for_try(airflow, "deleted", attempt)
        pod = pod_of(airflow, "deleted")
        airflow.kubectl("delete", "pod", pod, "--grace-period=0", "--force", "--wait=false")
    # disruptionRetries is 1: the second time in a row is a failure, which has its own retries.
    end(airflow, DAG, "deleted")
    task = work(airflow, "deleted")
    assert task["try_number"] == 3
    assert task["max_tries"] - (task["try_number"] - 1) == OWN_RETRIES - 1
    assert "without using one of its own retries" in log(airflow, "deleted", 1)
    assert "once too often in a row" in log(airflow, "deleted", 2)


def test_a_full_tmp_fails_the_task_with_the_limit_and_what_to_raise(airflow: Deployment) -> None:
    start(airflow, DAG, "full", tasks=1, seconds=90)
    pod = pod_of(airflow, "full")
    airflow.kubectl("exec", pod, "--", "dd", "if=/dev/zero", "of=/tmp/full", "bs=1M", "count=40")
    wait_for(
        "the task to fail",
        lambda: (
            work(airflow, "full").get("try_number") == 2
            or work(airflow, "full").get("state") == "up_for_retry"
        ),
    )
    found = log(airflow, "full", 1)
    assert "16Mi" in found
    assert "raise airflow.tasks.tmpSizeLimit" in found
    assert work(airflow, "full")["max_tries"] == OWN_RETRIES


def test_failed_pods_are_swept(airflow: Deployment) -> None:
    """After airflow.tasks.failedPodRetention, by the CronJob."""
    airflow.kubectl("create", "job", "--from=cronjob/airflow-sweep-pods", "sweep-now")
    airflow.kubectl("wait", "--for=condition=complete", "--timeout=120s", "job/sweep-now")
    left = airflow.kubectl(
        "get", "pods", "-l", "kubernetes_executor=True",
        "--field-selector=status.phase=Failed", "-o", "name",
    )  # fmt: skip
    assert left == ""
