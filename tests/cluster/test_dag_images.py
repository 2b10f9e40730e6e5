"""DAGs in images: what a changed DAG restarts, and in which image tasks run."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS

from .checkout import checkout
from .conftest import Deployment, in_namespace, wait_for
from .scenarios import components, end, on, said, start, wait_until_running

pytestmark = pytest.mark.cluster

DAG = """
import time
from datetime import UTC, datetime

try:
    from airflow.sdk import Variable, dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task
    from airflow.models import Variable


@dag(schedule=None, start_date=datetime(2024, 1, 1, tzinfo=UTC))
def versions():
    @task
    def before():
        print("this is version one")
        while Variable.get("go_on", "no") != "yes":
            time.sleep(0.5)

    @task
    def after():
        print("this is version one")

    before() >> after()


versions()
"""
"""Its structure stays the same when its code changes."""

READ_DAGS = ("dag-processor", "triggerer")
"""Components that are replaced for a changed DAG, with KubernetesExecutor."""


@pytest.fixture(
    scope="module",
    params=[CURRENT, pytest.param(PREVIOUS, marks=pytest.mark.long)],
)
def airflow(
    request: pytest.FixtureRequest, sandbox: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """An Airflow of a checkout of its own, whose DAGs can be edited."""
    root = checkout(tmp_path_factory.mktemp("checkout"))
    (root / "dags" / "versions.py").write_text(DAG)
    place = on(in_namespace("airflow-dag-images", 30093), version=request.param)
    deployment = replace(place, root=root)
    deployment.remove(wait=True)
    deployment.up()
    yield deployment
    deployment.remove(wait=True)


def edit(airflow: Deployment, old: str, new: str) -> None:
    file = airflow.root / "dags" / "versions.py"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_changed_dag_restarts_what_reads_it_and_no_run_that_has_begun_sees_it(
    airflow: Deployment,
) -> None:
    rest = start(airflow, "versions", "begun-before")
    rest.post("/variables", {"key": "go_on", "value": "no"})
    wait_until_running(airflow, "versions", "begun-before", "before")
    before, jobs = components(airflow), airflow.kubectl("get", "jobs", "-o", "name")

    edit(airflow, "version one", "version two")
    output = airflow.make("dags")
    assert "DAGs are live after" in output
    after = components(airflow)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert {name.removeprefix("airflow-").rsplit("-", 2)[0] for name in changed} == set(READ_DAGS)
    assert airflow.kubectl("get", "jobs", "-o", "name") == jobs

    start(airflow, "versions", "begun-after")
    rest.patch("/variables/go_on", {"key": "go_on", "value": "yes"})
    for run, version in (("begun-before", "one"), ("begun-after", "two")):
        tasks = end(airflow, "versions", run)
        assert {task["try_number"] for task in tasks} == {1}
        logs = said(airflow, "versions", run)
        assert logs.keys() == {"before", "after"}
        assert all(f"this is version {version}" in log for log in logs.values()), run


def test_without_a_change_nothing_happens(airflow: Deployment) -> None:
    before = components(airflow)
    assert "nothing changed" in airflow.make("dags")
    assert components(airflow) == before


def test_a_dag_that_cannot_be_read_is_not_deployed(airflow: Deployment) -> None:
    before = components(airflow)
    edit(airflow, "import time\n", "import time\nimport of_nothing\n")
    for goal in ("dags", "up"):
        output = airflow.make(goal, ok=False)
        assert "nothing was deployed" in output
        assert "dags/versions.py:3: ModuleNotFoundError: No module named 'of_nothing'" in output
    assert components(airflow) == before
    edit(airflow, "import of_nothing\n", "")


ONLY_THERE = """import os
if "KUBERNETES_SERVICE_HOST" in os.environ:
    raise RuntimeError("only in the cluster")
"""


@pytest.mark.long
def test_one_that_cannot_be_read_in_the_cluster_alone_fails_the_deployment_with_its_error(
    airflow: Deployment,
) -> None:
    edit(airflow, "import time\n", f"import time\n{ONLY_THERE}")
    output = airflow.make("dags", ok=False)
    assert "DAGs cannot be read" in output
    assert "versions.py" in output
    assert "RuntimeError: only in the cluster" in output
    edit(airflow, ONLY_THERE, "")
    airflow.make("dags")
    rest = airflow.rest()
    assert wait_for("no error", lambda: rest.get("/importErrors")["import_errors"] == [])


@pytest.mark.long
def test_more_than_dags_needs_a_whole_deployment(airflow: Deployment) -> None:
    config = airflow.root / "images" / "airflow" / "airflow.cfg"
    before = config.read_text()
    config.write_text(before + "\n# edited\n")
    assert "more than DAGs has changed: airflow is not built yet" in airflow.make("dags", ok=False)
    config.write_text(before)


SIZED = """
from datetime import UTC, datetime

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task


@dag(schedule=None, start_date=datetime(2024, 1, 1, tzinfo=UTC))
def sized():
    @task(queue="QUEUE")
    def work():
        print("works")

    work()


sized()
"""
PROFILE = {
    "resources": {
        "requests": {"cpu": "30m", "memory": "300Mi"}, "limits": {"cpu": "2", "memory": "801Mi"},
    },
    "podAnnotations": {"size": "large"},
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("executor", ["KubernetesExecutor", "LocalKubernetesExecutor"])
def test_a_queue_chooses_the_size_of_a_task_pod(airflow: Deployment, executor: str) -> None:
    profiles = json.dumps({"large": PROFILE}, separators=(",", ":"))
    given = f"{airflow.overrides} airflow.executor={executor} airflow.tasks.profiles={profiles}"
    sized = replace(airflow, overrides=given)
    file = airflow.root / "dags" / "sized.py"
    file.write_text(SIZED.replace("QUEUE", "lage"))
    try:
        refusal = sized.make("check-dags", ok=False)
        assert (
            "queue 'lage': neither a profile (large) nor a queue (default, kubernetes)" in refusal
        )
        file.write_text(SIZED.replace("QUEUE", "large"))
        sized.up()
        run = f"with-{executor}"
        start(sized, "sized", run)
        pod = wait_for("its pod", lambda: next(iter(sized.pods("task")), ""))
        found = json.loads(sized.kubectl("get", "pod", pod, "-o", "json"))
        assert found["spec"]["containers"][0]["resources"] == PROFILE["resources"]
        assert found["metadata"]["annotations"]["size"] == "large"
        (task,) = end(sized, "sized", run)
        assert task["try_number"] == 1
    finally:
        file.unlink()


@pytest.mark.long
def test_celery_workers_end_their_tasks_with_the_code_that_they_have(airflow: Deployment) -> None:
    celery = replace(on(airflow, executor="CeleryExecutor"), root=airflow.root)
    celery.up()
    rest = start(celery, "versions", "celery-before")
    rest.patch("/variables/go_on", {"key": "go_on", "value": "no"})
    (task,) = wait_until_running(celery, "versions", "celery-before", "before")
    edit(celery, "version two", "version three")
    celery.make("dags")
    assert task["hostname"] not in celery.pods("worker-default"), "it is asked to stop"
    (task,) = wait_until_running(celery, "versions", "celery-before", "before")
    rest.patch("/variables/go_on", {"key": "go_on", "value": "yes"})
    assert {task["try_number"] for task in end(celery, "versions", "celery-before")} == {1}
    assert "this is version two" in said(celery, "versions", "celery-before")["before"]
    start(celery, "versions", "celery-after")
    end(celery, "versions", "celery-after")
    logs = said(celery, "versions", "celery-after").values()
    assert all("this is version three" in log for log in logs)
