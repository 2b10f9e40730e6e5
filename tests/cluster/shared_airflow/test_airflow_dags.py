"""The DAGs of dags/: every way to run a task, on a real Airflow with KubernetesExecutor."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.errors import SandboxError

from ..conftest import Deployment, wait_for
from ..docker_host import docker_host
from ..scenarios import check_places, end, start

pytestmark = pytest.mark.cluster

IMAGE = "10.244.0.1:5000/stand-in/utility:1"

VALUES = " ".join(
    (
        'airflow.tasks.env={"COLOUR":"blue"}',
        'airflow.tasks.volumes=[{"name":"more","mountPath":"/more","configMap":"airflow-config"}]',
        # Pods that cannot start are soon given up.
        "airflow.tasks.pendingTimeout=30",
        "airflow.configuration.scheduler.task_queued_timeout_check_interval=5",
    )
)


@pytest.fixture(scope="module", autouse=True)
def image(airflow: Deployment) -> None:
    """The DAGs that start containers know the sandbox's small image."""
    airflow.up(more=VALUES)
    airflow.rest().post("/variables", {"key": "example_image", "value": IMAGE})


def logs(airflow: Deployment, dag: str, run_id: str) -> dict[str, str]:
    """The log of each task of a run."""
    rest = airflow.rest()
    tasks = rest.tasks(dag, run_id)
    return {task["task_id"]: rest.log(dag, run_id, task) for task in tasks}


def test_all_dags_are_imported(airflow: Deployment) -> None:
    rest = airflow.rest()
    expected = {
        "smoke", "queues", "parallel", "parallel_pods", "deferrable", "pod_operator",
        "docker_operator", "conflicting_libraries", "worker_images",
    }  # fmt: skip
    wait_for(
        "all DAGs", lambda: {dag["dag_id"] for dag in rest.get("/dags")["dags"]} == expected, 60
    )
    assert rest.get("/importErrors")["import_errors"] == []


def test_a_task_runs_in_a_pod_made_of_the_template_and_its_own_override(
    airflow: Deployment,
) -> None:
    check_places(airflow, "KubernetesExecutor", "queues")


@pytest.mark.long
def test_a_task_starts_pods_of_any_image(airflow: Deployment) -> None:
    start(airflow, "pod_operator", "pods")
    end(airflow, "pod_operator", "pods")
    found = logs(airflow, "pod_operator", "pods")
    assert "runs as 65534" in found["plain"]
    assert "runs as 65534" in found["deferred"]
    for place in (airflow, airflow.tasks):
        kept = place.kubectl("get", "pods", "-l", "kubernetes_pod_operator=True", "-o", "name")
        assert kept == ""


def test_tasks_with_libraries_in_conflict_run_in_images_of_their_own(airflow: Deployment) -> None:
    start(airflow, "conflicting_libraries", "libraries")
    end(airflow, "conflicting_libraries", "libraries")
    found = logs(airflow, "conflicting_libraries", "libraries")
    assert re.search(r"pandas 1\.5\.\d and 2\.\d\.\d, Cairo 1\.\d+", found["versions"])


def test_task_pods_run_the_slim_image_unless_they_name_another(airflow: Deployment) -> None:
    start(airflow, "worker_images", "slim")
    end(airflow, "worker_images", "slim")
    found = logs(airflow, "worker_images", "slim")
    assert "by_default: slim image" in found["by_default"]
    assert "by_name: whole image" in found["by_name"]


@pytest.mark.long
def test_a_deferred_task_waits_on_the_triggerer(airflow: Deployment) -> None:
    begun = datetime.now(UTC).replace(tzinfo=None)
    start(airflow, "deferrable", "deferred")
    end(airflow, "deferrable", "deferred")
    # What the trigger fired, on its way through both tasks.
    found = re.search(r"waited until (.+)", logs(airflow, "deferrable", "deferred")["after"])
    assert found is not None
    moment = datetime.fromisoformat(found[1].strip()).replace(tzinfo=None)  # UTC, said or not
    assert moment >= begun + timedelta(seconds=5)


@pytest.mark.long
def test_a_task_runs_on_a_docker_host_that_knows_it(airflow: Deployment) -> None:
    try:
        with docker_host() as host:
            host.take(IMAGE)
            connect(airflow, json.loads(host.connection()))
            start(airflow, "docker_operator", "docker")
            end(airflow, "docker_operator", "docker")
            assert "runs as 65534" in logs(airflow, "docker_operator", "docker")["container"]

            connect(airflow, json.loads(host.connection("stranger")))
            start(airflow, "docker_operator", "stranger")
            wait_for("the run to fail", lambda: state(airflow, "stranger") == "failed")
            log = logs(airflow, "docker_operator", "stranger")["container"]
            assert "Failed to establish connection to any given Docker hosts" in log
    except SandboxError as error:
        pytest.skip(f"no Docker host: {error}")


def connect(airflow: Deployment, connection: dict[str, Any]) -> None:
    """Set the connection `docker_host`."""
    rest = airflow.rest()
    extra = json.dumps(connection.pop("extra"))
    body = {"connection_id": "docker_host", "extra": extra, **connection}
    known = [one["connection_id"] for one in rest.get("/connections")["connections"]]
    if "docker_host" in known:
        rest.patch("/connections/docker_host", body)
    else:
        rest.post("/connections", body)


def state(airflow: Deployment, run_id: str) -> str:
    run = airflow.rest().get(f"/dags/docker_operator/dagRuns/{run_id}")
    return str(run["state"])


@pytest.mark.long
def test_values_reach_the_pods_in_which_tasks_run(airflow: Deployment) -> None:
    start(airflow, "parallel", "with-values", tasks=1, seconds=5)
    (pod,) = wait_for("a task pod", lambda: working(airflow))
    container = pod["spec"]["containers"][0]
    assert {"name": "COLOUR", "value": "blue"} in container["env"]
    assert "/more" in {mount["mountPath"] for mount in container["volumeMounts"]}
    end(airflow, "parallel", "with-values")


def working(airflow: Deployment) -> list[dict[str, Any]]:
    """The pods of the task `work` that run."""
    listed = airflow.kubectl("get", "pods", "-l", "task_id=work", "-o", "json")
    items: list[dict[str, Any]] = json.loads(listed)["items"]
    return [pod for pod in items if pod["status"]["phase"] == "Running"]


@pytest.mark.long
def test_a_pod_that_cannot_start_tells_why_in_the_tasks_log(airflow: Deployment) -> None:
    airflow.up(more=f'{VALUES} airflow.tasks.nodeSelector={{"no":"such-node"}}')
    rest = start(airflow, "parallel", "pending", tasks=1)

    def reason() -> str:
        (task,) = (t for t in rest.tasks("parallel", "pending") if t["task_id"] == "numbers")
        if task["state"] != "queued":
            return ""
        log = rest.log("parallel", "pending", task)
        return log if "Unschedulable" in log else ""

    log = wait_for("the reason in the log", lambda: reason(), 90)
    assert "didn't match Pod's node affinity/selector" in log
    first = airflow.pods("task")
    wait_for("the pod to be given up", lambda: not set(first) & set(airflow.pods("task")), 120)
    # With a selector that a node has, the task that was given up runs at its next attempt.
    airflow.up(more=VALUES)
    end(airflow, "parallel", "pending")
