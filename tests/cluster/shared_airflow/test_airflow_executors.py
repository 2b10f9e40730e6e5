"""Celery takes over from KubernetesExecutor, on a real Airflow; test_matrix.py has every executor.

The tests build on each other in this order.
"""

import pytest

from ..conftest import Deployment, wait_for
from ..scenarios import (
    check_ended_once,
    check_flower_asks_for_a_password,
    check_move,
    check_places,
    check_warm_shutdown,
    end,
    on,
    start,
    wait_until_running,
)

pytestmark = pytest.mark.cluster

EXECUTOR = "CeleryKubernetesExecutor"


@pytest.fixture(scope="module", autouse=True)
def kubernetes(airflow: Deployment) -> None:
    """KubernetesExecutor, at first."""
    airflow.up()


@pytest.fixture
def celery(airflow: Deployment) -> Deployment:
    """The Airflow of all modules with Celery."""
    return on(airflow, executor=EXECUTOR)


def test_tasks_in_pods_go_on_while_the_executor_changes(
    airflow: Deployment, celery: Deployment
) -> None:
    # Both executors have pods, so these are adopted.
    check_move(airflow, celery, "moving", "parallel_pods")


def test_each_queue_runs_in_its_place(celery: Deployment) -> None:
    check_places(celery, EXECUTOR, "queues-celery")


def test_a_worker_ends_its_tasks_before_it_stops(celery: Deployment) -> None:
    check_warm_shutdown(celery, "warm")


def test_flower_asks_for_a_password(celery: Deployment) -> None:
    check_flower_asks_for_a_password(celery)


def test_workers_hold_no_key_of_airflow(celery: Deployment) -> None:
    env = celery.kubectl("exec", "deployment/airflow-worker-default", "--", "env")
    names = {line.partition("=")[0] for line in env.splitlines()}
    assert "AIRFLOW__CELERY__BROKER_URL" in names
    assert not names & {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW__API_AUTH__JWT_SECRET",
        "AIRFLOW__API__SECRET_KEY",
    }


@pytest.mark.long
def test_a_lost_broker_loses_no_task(celery: Deployment) -> None:
    start(celery, "parallel", "broker-lost", tasks=6, seconds=5)
    wait_until_running(celery, "parallel", "broker-lost")
    celery.kubectl("delete", "pod", "airflow-redis-0", "--grace-period=0", "--force")
    tasks = end(celery, "parallel", "broker-lost")
    check_ended_once(celery, "parallel", "broker-lost", tasks)
    wait_for("Redis", lambda: celery.pods("redis"))


@pytest.mark.long
def test_tasks_that_begin_without_the_api_server_wait_for_it(celery: Deployment) -> None:
    celery.up()
    start(celery, "parallel", "api-lost", tasks=6, seconds=5)
    celery.kubectl("scale", "deployment/airflow-api-server", "--replicas=0")
    # Longer than Airflow itself would wait: the fifth of 5 tries.
    wait_for("tries of a task", lambda: "is the 6th time" in logs_of_workers(celery))
    celery.kubectl("scale", "deployment/airflow-api-server", "--replicas=1")
    tasks = end(celery, "parallel", "api-lost")
    assert {task["try_number"] for task in tasks} == {1}
    check_ended_once(celery, "parallel", "api-lost", tasks)


def logs_of_workers(airflow: Deployment) -> str:
    return airflow.kubectl("logs", "-l", "app.kubernetes.io/component=worker-default", "--tail=-1")
