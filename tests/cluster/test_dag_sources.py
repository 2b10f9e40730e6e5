"""DAGs of three owners in one Airflow 3: of the image, and of two private repositories of one
server, of which one has a DAG processor of its own.

The tests build on each other in this order.
"""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from airflow_kubernetes.airflow.releases import CURRENT

from .conftest import Deployment, in_namespace, wait_for
from .git_server import USER, GitServer, git_servers
from .scenarios import components, end, on, said, start, wait_until_running

pytestmark = [pytest.mark.cluster, pytest.mark.long]

PASSWORDS = {"sales-eu": "s3cret/of%sales:", "ops": "an0ther$of'ops@"}
VALUES = "airflow.dags.repositories."

MANY = 24
"""Tasks at a time in one worker, each of which needs the same commit."""

SALES = """
import time
from datetime import UTC, datetime

from airflow.sdk import Variable, dag, task
from version import VERSION


@dag(schedule=None, start_date=datetime(2024, 1, 1, tzinfo=UTC), description=VERSION)
def sales():
    @task
    def before():
        print(f"sales version {VERSION}")
        while Variable.get("go_on", "no") != "yes":
            time.sleep(0.5)

    @task
    def after():
        print(f"sales version {VERSION}")

    before() >> after()


sales()
"""

OPS = """
from datetime import UTC, datetime

from airflow.sdk import dag, task
from version import VERSION


@dag(schedule=None, start_date=datetime(2024, 1, 1, tzinfo=UTC), description=VERSION)
def ops():
    @task
    def work(number):
        print(f"ops version {VERSION}")

    work.expand(number=list(range(MANY)))


ops()
""".replace("MANY", str(MANY))

BROKEN = "from airflow.sdk import dag\nraise ValueError('left out')\n"

FILES = {
    "sales-eu": {"dags/sales.py": SALES, "dags/version.py": 'VERSION = "one"\n'},
    "ops": {
        "dags/ops.py": OPS,
        "dags/version.py": 'VERSION = "of ops"\n',
        # A glob on Airflow 3: as a regular expression it would not match.
        "dags/.airflowignore": "drafts/*_v[0-9].py\n",
        "dags/drafts/ops_v1.py": BROKEN,
    },
}

KILLED = """
import os, random, shutil, signal, sys, time
from pathlib import Path
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.bundles.base import get_bundle_storage_root_path

version, store = sys.argv[1], get_bundle_storage_root_path()
assert store.is_relative_to("/tmp"), store

def clone():
    bundle = DagBundlesManager().get_bundle("ops", version)
    bundle.initialize()
    assert (bundle.path / "ops.py").is_file()

def forked():
    if pid := os.fork():
        return pid
    os.setpgid(0, 0)
    clone()
    os._exit(0)

started = time.monotonic()
clone()
took, left = time.monotonic() - started, 0
for part in range(1, 13):
    shutil.rmtree(store)
    pid = forked()
    time.sleep(took * part / 13)
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    left += not (store / "ops" / "versions" / version).exists()
    assert {os.waitpid(other, 0)[1] for other in [forked() for _ in range(3)]} == {0}
    assert os.listdir(store / "ops" / "versions") == [version]
print(f"{left} of 12 were killed before they had a clone")
assert left
"""
"""Clones that are killed at each part of their time, and others that need the same commit next."""


@pytest.fixture(scope="module")
def servers(
    sandbox: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, GitServer]]:
    """The two repositories."""
    with git_servers(tmp_path_factory.mktemp("git"), PASSWORDS) as running:
        for name, server in running.items():
            server.commit(FILES[name])
        yield running


@pytest.fixture(scope="module")
def airflow(servers: dict[str, GitServer]) -> Iterator[Deployment]:
    """A namespace with the logins of both, for an Airflow that reads them too."""
    place = on(in_namespace("airflow-sources", 30161), version=CURRENT)
    values = {
        f"{name}.{key}": value
        for name, server in servers.items()
        for key, value in {"repository": server.url, "interval": "5", "secret": name}.items()
    }
    more = " ".join(f"{VALUES}{key}={value}" for key, value in values.items())
    overrides = f"{place.overrides} {more} {VALUES}ops.processor=true"
    deployment = dataclasses.replace(place, overrides=overrides)
    deployment.remove(wait=True)
    deployment.kubectl("create", "namespace", deployment.namespace)
    for name, password in PASSWORDS.items():
        login = (f"--from-literal=username={USER}", f"--from-literal=password={password}")
        deployment.kubectl("create", "secret", "generic", name, *login)
    yield deployment
    deployment.remove()


def dags(airflow: Deployment) -> dict[str, dict[str, Any]]:
    return {dag["dag_id"]: dag for dag in airflow.rest().get("/dags?limit=100")["dags"]}


def run_of(airflow: Deployment, dag: str, run_id: str) -> dict[str, Any]:
    run: dict[str, Any] = airflow.rest().get(f"/dags/{dag}/dagRuns/{run_id}")
    return run


def test_each_source_is_a_bundle_and_its_dags_are_read(airflow: Deployment) -> None:
    assert "DAG smoke, run up-" in airflow.make("up")
    wait_for("the DAGs of all sources", lambda: {"smoke", "sales", "ops"} <= {*dags(airflow)})
    found = dags(airflow)
    bundles = {name: found[name]["bundle_name"] for name in ("smoke", "sales", "ops")}
    assert bundles == {"smoke": "dags-folder", "sales": "sales-eu", "ops": "ops"}
    assert airflow.rest().get("/importErrors")["import_errors"] == []
    assert len(airflow.pods("dag-processor")) == len(airflow.pods("dag-processor-ops")) == 1


def test_a_dag_processor_reads_its_own_bundles_and_has_their_logins_alone(
    airflow: Deployment,
) -> None:
    for name, own, other in (("", "SALES_EU", "OPS"), ("-ops", "OPS", "SALES_EU")):
        pod = f"deployment/airflow-dag-processor{name}"
        variables = airflow.kubectl("exec", pod, "--", "env")
        assert f"GIT_PASSWORD_{own}=" in variables
        assert f"GIT_PASSWORD_{other}=" not in variables
    log = airflow.kubectl("logs", "deployment/airflow-dag-processor-ops")
    assert "ops.py" in log
    assert "sales.py" not in log


def test_tasks_of_repositories_keep_the_commit_and_those_of_the_image_their_image(
    airflow: Deployment, servers: dict[str, GitServer]
) -> None:
    rest, before = airflow.rest(), components(airflow)
    rest.post("/variables", {"key": "go_on", "value": "no"})
    start(airflow, "sales", "begun-before")
    wait_until_running(airflow, "sales", "begun-before", "before")
    first = run_of(airflow, "sales", "begun-before")["bundle_version"]
    second = servers["sales-eu"].commit({"dags/version.py": 'VERSION = "two"\n'})
    wait_for("the commit", lambda: dags(airflow)["sales"]["description"] == "two", 120)
    rest.patch("/variables/go_on", {"key": "go_on", "value": "yes"})
    end(airflow, "sales", "begun-before")
    start(airflow, "sales", "begun-after")
    end(airflow, "sales", "begun-after")
    for run, version, text in (("begun-before", first, "one"), ("begun-after", second, "two")):
        assert run_of(airflow, "sales", run)["bundle_version"] == version
        logs = said(airflow, "sales", run).values()
        assert all(f"sales version {text}" in log for log in logs)
    start(airflow, "smoke", "with-others")
    end(airflow, "smoke", "with-others")
    assert "@sha256:" in run_of(airflow, "smoke", "with-others")["bundle_version"]
    assert components(airflow) == before


def test_many_tasks_of_one_commit_in_one_worker(
    airflow: Deployment, servers: dict[str, GitServer]
) -> None:
    worker_values = {"concurrency": str(MANY), "resources.limits.memory": "4Gi"}
    values = {f"celery.workers.default.{key}": value for key, value in worker_values.items()}
    celery = on(airflow, executor="CeleryExecutor", parallelism=str(MANY), **values)
    celery.up()
    commit = servers["ops"].commit({"dags/version.py": 'VERSION = "new"\n'})
    wait_for("the commit", lambda: dags(celery)["ops"]["description"] == "new", 180)
    start(celery, "ops", "many")
    tasks = end(celery, "ops", "many", 900)
    assert run_of(celery, "ops", "many")["bundle_version"] == commit
    assert len(tasks) == MANY
    assert {task["try_number"] for task in tasks} == {1}
    assert len({task["hostname"] for task in tasks}) == 1
    logs = [celery.rest().log("ops", "many", task) for task in tasks]
    assert all("ops version new" in log and "retrying" not in log for log in logs)


def test_a_clone_that_was_killed_is_in_nobodys_way(
    airflow: Deployment, servers: dict[str, GitServer]
) -> None:
    commit = servers["ops"].commit({f"dags/data/{i}.txt": "x" * 999 for i in range(999)})
    (worker,) = airflow.pods("worker-default")
    script = ("env", "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH=/tmp/killed", "python", "-c")
    out = airflow.kubectl("exec", worker, "--", *script, KILLED, commit)
    assert "killed before they had a clone" in out


def test_dags_of_a_repository_that_is_taken_out_go(airflow: Deployment) -> None:
    words = airflow.overrides.split()
    less = " ".join(word for word in words if not word.startswith(f"{VALUES}sales-eu."))
    without = dataclasses.replace(airflow, overrides=less)
    without.up()
    wait_for("the DAG to be gone", lambda: "sales" not in dags(without), 240)
    assert {"smoke", "ops"} <= {*dags(without)}


def test_no_log_shows_a_password(airflow: Deployment) -> None:
    texts = [
        airflow.kubectl("logs", f"pod/{pod}", "--all-containers") for pod in components(airflow)
    ]
    texts += [airflow.kubectl("get", "deployments,configmaps", "-o", "json")]
    assert len(texts) > 6
    for password in PASSWORDS.values():
        assert not any(password in text or json.dumps(password) in text for text in texts)
