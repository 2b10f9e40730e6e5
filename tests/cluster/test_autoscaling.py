"""Celery workers that come with their tasks and go when they are idle, on both lines.

The tests build on each other in this order.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from airflow_kubernetes.airflow.autoscaling import CONNECTION
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS

from . import autoscalers
from .conftest import Deployment, in_namespace, wait_for
from .scenarios import Tasks, check_ended_once, end, on, start, wait_until_running

pytestmark = [pytest.mark.cluster, pytest.mark.long]

MOST, SLOTS, COOLDOWN = 3, 4, 20
DAG, WORKERS = "parallel", "worker-default"
COST = r"jsonpath={.metadata.annotations.controller\.kubernetes\.io/pod-deletion-cost}"
VALUES = (
    f"airflow.keda.cooldownPeriod={COOLDOWN} airflow.parallelism=40 airflow.tasks.gracePeriod=300 "
    f"airflow.celery.workers.default.concurrency={SLOTS} "
    f"airflow.celery.workers.default.maxReplicas={MOST}"
)
BY_CPU = "airflow.keda.enabled=false airflow.celery.workers.default.replicas=1"
BY_TASKS = "airflow.keda.enabled=true airflow.celery.workers.default.replicas=0"


@pytest.fixture(scope="module", params=[CURRENT, PREVIOUS])
def place(sandbox: None, request: pytest.FixtureRequest) -> Deployment:
    """The place of an Airflow with Celery, which is not there yet."""
    deployment = on(
        in_namespace("airflow-autoscaling", 30096),
        version=request.param,
        executor="CeleryExecutor",
    )
    deployment = Deployment(deployment.namespace, f"{deployment.overrides} {VALUES}")
    deployment.remove(wait=True)
    return deployment


@pytest.fixture(scope="module")
def airflow(place: Deployment) -> Iterator[Deployment]:
    """That Airflow, with KEDA in the cluster."""
    with autoscalers.deployed():
        place.up(more=BY_TASKS)
        yield place
        # KEDA's objects end while it is there.
        place.call(*place.command("down", "--yes"))
        place.remove(wait=True)


def workers(airflow: Deployment) -> dict[str, str]:
    """Those that take tasks."""
    return airflow.pods(WORKERS)


def wait_for_none(airflow: Deployment) -> None:
    wait_for("no worker", lambda: not workers(airflow), 240)


def scaled_object(airflow: Deployment) -> dict[str, Any]:
    found = airflow.kubectl("get", "scaledobject", "airflow-worker-default", "-o", "json")
    result: dict[str, Any] = json.loads(found)
    return result


def check_first_try(tasks: Tasks) -> None:
    assert {(task["state"], task["try_number"]) for task in tasks} == {("success", 1)}


def test_without_keda_nothing_is_changed(place: Deployment) -> None:
    for goal in ("up", "preview"):
        output = place.call(*place.command(goal, more=BY_TASKS), ok=False)
        assert "no KEDA (the API keda.sh/v1alpha1). Install KEDA" in output
    assert place.kubectl("get", "namespace", place.namespace, "--ignore-not-found") == ""


def test_workers_come_with_tasks_and_go_with_them(airflow: Deployment) -> None:
    wait_for_none(airflow)
    start(airflow, DAG, "burst", tasks=40, seconds=5)
    wait_for("all workers", lambda: len(workers(airflow)) == MOST)
    tasks = end(airflow, DAG, "burst", 900)
    check_first_try(tasks)
    check_ended_once(airflow, DAG, "burst", tasks)
    assert len({task["hostname"] for task in tasks}) >= MOST
    wait_for_none(airflow)


def test_idle_workers_go_and_busy_ones_stay(airflow: Deployment) -> None:
    start(airflow, DAG, "many", tasks=MOST * SLOTS, seconds=20)
    wait_for("all workers", lambda: len(workers(airflow)) == MOST)
    before = workers(airflow)
    # They wait for the others, so that no worker is without a task in between.
    start(airflow, DAG, "long", tasks=MOST - 1, seconds=150)
    end(airflow, DAG, "many", 600)

    def all_run() -> Tasks | None:
        running = wait_until_running(airflow, DAG, "long")
        return running if len(running) == MOST - 1 else None

    busy = {str(task["hostname"]) for task in wait_for("long tasks", all_run)}
    assert busy < set(before)
    # As many workers are needed as one could do, and there are more that are busy.
    wait_for("idle workers to go", lambda: set(workers(airflow)) == busy)
    assert workers(airflow).items() <= before.items()
    for worker in busy:
        assert airflow.kubectl("get", "pod", worker, "-o", COST) in {"1", "2"}
    check_first_try(end(airflow, DAG, "long"))
    wait_for_none(airflow)


def test_what_is_deployed_stays_as_it_is(airflow: Deployment) -> None:
    """What KEDA writes into its own objects and the number of workers is no difference."""
    assert "nothing would change" in airflow.call(*airflow.command("preview", more=BY_TASKS))


def test_a_stopped_airflow_has_no_worker_for_its_queued_tasks(airflow: Deployment) -> None:
    start(airflow, DAG, "stopped", tasks=20, seconds=5)
    wait_for("a worker", lambda: workers(airflow))
    airflow.up(more=f"{BY_TASKS} airflow.stopped=true")

    def paused() -> bool:
        conditions = scaled_object(airflow)["status"]["conditions"]
        return any((one["type"], one["status"]) == ("Paused", "True") for one in conditions)

    wait_for("KEDA's pause", paused)
    wait_for_none(airflow)
    assert airflow.kubectl("get", "hpa", "-o", "name") == ""
    airflow.up(more=BY_TASKS)
    wait_for("workers again", lambda: workers(airflow))
    start(airflow, DAG, "started", tasks=1, seconds=0)
    end(airflow, DAG, "started", 900)
    wait_for_none(airflow)


def test_a_user_that_may_only_count_is_enough(airflow: Deployment) -> None:
    """As in docs/executors.md, with TLS."""
    statements = (
        "CREATE USER keda IDENTIFIED BY 'p@ss/word'; "
        "GRANT SELECT (state, queue, hostname, executor) ON airflow.task_instance TO keda; "
        "GRANT SELECT (id) ON airflow.\\`trigger\\` TO keda;"
    )
    script = f'MYSQL_PWD="$MYSQL_ROOT_PASSWORD" mysql -uroot -e "{statements}"'
    airflow.kubectl("exec", "airflow-mysql-0", "--", "sh", "-c", script)
    server = f"airflow-mysql.{airflow.namespace}.svc:3306"
    address = f"keda:p@ss/word@tcp({server})/airflow?tls=skip-verify"
    airflow.kubectl("create", "secret", "generic", "own", f"--from-literal={CONNECTION}={address}")
    airflow.up(
        more=f"{BY_TASKS} airflow.keda.secret=own airflow.triggerer.maxReplicas=2 "
        f"{capacity(airflow)}"
    )
    runs = [f"counted-{number}" for number in range(12)]
    for run in runs:
        start(airflow, "deferrable", run)
    wait_for("another triggerer", lambda: len(airflow.pods("triggerer")) == 2)
    for run in runs:
        end(airflow, "deferrable", run)
    wait_for_none(airflow)


def capacity(airflow: Deployment) -> str:
    """The option that lets a triggerer take one trigger."""
    name = "default_capacity" if PREVIOUS in airflow.overrides else "capacity"
    return f'airflow.configuration={{"triggerer":{{"{name}":1}}}}'


def test_kubernetes_own_autoscaler_takes_over_and_gives_back(airflow: Deployment) -> None:
    airflow.up(more=BY_CPU)
    names = airflow.kubectl("get", "hpa,scaledobject,triggerauthentication", "-o", "name").split()
    assert names == ["horizontalpodautoscaler.autoscaling/airflow-worker-default"]
    start(airflow, DAG, "by-cpu", tasks=40, seconds=1)
    wait_for("all workers", lambda: len(workers(airflow)) == MOST)
    check_first_try(end(airflow, DAG, "by-cpu", 900))
    # KEDA refuses a workload that has another autoscaler.
    airflow.up(more=BY_TASKS)
    assert scaled_object(airflow)["spec"]["minReplicaCount"] == 0
    wait_for_none(airflow)
