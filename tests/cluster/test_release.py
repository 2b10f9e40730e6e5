"""One environment's life on 2.11: Celery, another executor, a release change that fails, the way
back, the release change. Its history stays through all of it.

The tests build on each other in this order; test_matrix.py has every executor on its own.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from airflow_kubernetes.cli.status import password

from .conftest import GIVEN, Deployment, in_namespace
from .scenarios import (
    check_flower_asks_for_a_password,
    check_move,
    check_places,
    check_warm_shutdown,
    end,
    on,
    start,
    wait_until_running,
)
from .shared_airflow.test_backup import sql

pytestmark = [pytest.mark.cluster, pytest.mark.long]

OLD, NEW = "2.11.2", "3.3.2"


@pytest.fixture(scope="module")
def place_of_airflow(sandbox: None) -> Iterator[Deployment]:
    """An empty namespace, with the objects of a test's Airflow removed afterwards."""
    deployment = in_namespace("airflow-release", 30088)
    deployment.remove(wait=True)
    yield deployment
    deployment.remove()


@pytest.fixture
def celery_2(place_of_airflow: Deployment) -> Deployment:
    """2.11 with CeleryKubernetesExecutor."""
    return on(place_of_airflow, version=OLD, executor="CeleryKubernetesExecutor")


@pytest.fixture
def local_2(place_of_airflow: Deployment) -> Deployment:
    """2.11 with LocalKubernetesExecutor."""
    return on(place_of_airflow, version=OLD, executor="LocalKubernetesExecutor")


@pytest.fixture
def local_3(place_of_airflow: Deployment) -> Deployment:
    """3.3 with LocalKubernetesExecutor."""
    return on(place_of_airflow, version=NEW, executor="LocalKubernetesExecutor")


def test_2_11_comes_up_with_celery(celery_2: Deployment) -> None:
    output = celery_2.make("up")
    assert "Airflow 2.11.2 (CeleryKubernetesExecutor)" in output
    assert "DAG smoke, run up-" in output
    errors = celery_2.rest().get("/importErrors")
    assert errors["import_errors"] == []


def test_2_11_runs_each_queue_in_its_place(celery_2: Deployment) -> None:
    check_places(celery_2, "CeleryKubernetesExecutor", "queues-1")


def test_2_11_worker_ends_its_tasks_before_it_stops(celery_2: Deployment) -> None:
    check_warm_shutdown(celery_2, "warm-1")


def test_2_11_flower_asks_for_a_password(celery_2: Deployment) -> None:
    check_flower_asks_for_a_password(celery_2)


def test_2_11_moves_to_another_executor_while_tasks_run(
    celery_2: Deployment, local_2: Deployment
) -> None:
    check_move(celery_2, local_2, "moving-1")


def test_2_11_local_runs_each_queue_in_its_place(local_2: Deployment) -> None:
    check_places(local_2, "LocalKubernetesExecutor", "queues-2")


def test_make_up_does_not_change_the_release(local_2: Deployment, local_3: Deployment) -> None:
    before = local_2.pods()
    output = local_3.up(ok=False)
    assert "is of Airflow 2.11.2 and airflow.version says 3.3.2" in output
    assert "make upgrade" in output
    assert local_2.pods() == before


def test_the_guard_refuses_to_migrate_without_a_backup(local_3: Deployment) -> None:
    """What `pulumi up` or `kubectl apply` would run into, which do not ask make first."""
    # Only the Job of the new release, while Airflow runs.
    jobs = [
        obj
        for obj in local_3.rendered()
        if obj["kind"] == "Job" and "migrations" in obj["metadata"]["name"]
    ]
    (job,) = jobs
    local_3.target().kubectl.run("create", "--filename=-", objects=jobs)
    name = job["metadata"]["name"]
    local_3.kubectl("wait", f"job/{name}", "--for=condition=Failed", "--timeout=120s")
    log = local_3.kubectl("logs", f"job/{name}", "-c", "guard-release")
    local_3.kubectl("delete", "job", name)
    assert "refused: a release change needs a backup" in log
    assert sql(local_3, "SELECT COUNT(*) FROM dag_run") != "0"


def test_an_upgrade_that_cannot_back_up_leaves_the_old_release_running(
    local_2: Deployment, local_3: Deployment
) -> None:
    def running() -> list[str]:
        columns = "custom-columns=N:.metadata.name,R:.status.readyReplicas,I:.spec.template..image"
        return local_2.kubectl("get", "deployments", "-o", columns).splitlines()

    before, pods = running(), local_2.pods()
    local_2.kubectl("create", "quota", "few", "--hard=pods=1")
    try:
        output = local_3.make("upgrade", ok=False)
    finally:
        local_2.kubectl("delete", "quota", "few")
    assert "no pod may be made: " in output
    assert "exceeded quota" in output
    assert "No backup can be taken, so nothing was stopped" in output
    assert local_2.pods() == pods

    if not GIVEN:
        with full_volume(local_2):
            output = local_3.make("upgrade", ok=False)
        assert "No space left on device" in output
        assert "Nothing was migrated; Airflow 2.11.2 runs again" in output
        assert running() == before
        assert not local_2.kubectl(
            "get", "configmap", "airflow-release-change", "--ignore-not-found"
        )
        assert "airflow.version says 3.3.2" in local_3.up(ok=False)
        start(local_2, "queues", "after-failed-backup")
        end(local_2, "queues", "after-failed-backup")


@contextmanager
def full_volume(airflow: Deployment) -> Iterator[None]:
    """A volume for backups that is empty and has no space for one."""
    airflow.make("backups")  # binds the claim
    claim = ("pvc", "airflow-backups", "-o", "jsonpath={.spec.volumeName}")
    volume = airflow.kubectl("get", *claim)
    path = airflow.kubectl("get", "pv", volume, "-o", "jsonpath={.spec.local.path}")
    options = "size=32k,mode=0770,gid=999"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


def test_a_failed_migration_leaves_the_backup_and_tells_the_way_back(
    local_2: Deployment, local_3: Deployment
) -> None:
    runs, secret = local_2.all_runs(), password(local_2.target())
    sql(local_2, "CREATE TABLE dag_bundle (in_the_way INT)")  # 3.x makes a table of that name
    output = local_3.make("upgrade", ok=False)
    assert "dag_bundle" in output
    name = output.partition("half migrated. The backup ")[2].partition(" ")[0]
    assert name.endswith("-release")
    assert f"make restore FROM={name}" in output

    for goal in ("upgrade", "up"):
        again = local_3.make(goal, ok=False)
        assert "The release change did not end" in again
        assert f"make restore FROM={name}" in again

    stopped = on(local_2, stopped="true")
    stopped.up()
    restored = stopped.make("restore", f"FROM={name}")
    assert "rows" in restored
    local_2.up()
    assert local_2.all_runs() >= runs
    assert password(local_2.target()) == secret
    start(local_2, "queues", "after-restore")
    end(local_2, "queues", "after-restore")


def test_upgrade_changes_the_release_and_keeps_the_history(
    local_2: Deployment, local_3: Deployment
) -> None:
    runs = local_2.all_runs()
    sql(local_2, "DROP TABLE dag_bundle")
    start(local_2, "parallel_pods", "draining", tasks=1, seconds=20)
    wait_until_running(local_2, "parallel_pods", "draining")
    output = local_3.make("upgrade")
    assert "Airflow 2.11.2 -> 3.3.2" in output
    assert local_3.all_runs() >= runs
    tasks = end(local_3, "parallel_pods", "draining")
    assert {task["try_number"] for task in tasks if task["task_id"] == "work"} == {1}
    assert "is of Airflow 3.3.2 already" in local_3.make("upgrade")
    assert local_3.rest().get("/importErrors")["import_errors"] == []


def test_3_3_local_runs_each_queue_in_its_place(local_3: Deployment) -> None:
    check_places(local_3, "LocalKubernetesExecutor", "queues-3")
