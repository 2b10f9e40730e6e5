"""DAGs from a private Git repository: Airflow 3 fetches them itself, git-sync does for Airflow 2.

The tests build on each other in this order.
"""

import dataclasses
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow_kubernetes.airflow.releases import RELEASES

from sandbox import paths

from .conftest import ROOT, Deployment, in_namespace, wait_for
from .git_server import PASSWORD, USER, GitServer, git_server
from .scenarios import components, end, on, said, start, wait_until_running

pytestmark = pytest.mark.cluster

SECRET = "git-login"
VALUES = yaml.safe_load((ROOT / "values" / "common.yaml").read_text())
# registry.k8s.io cannot be reached from everywhere; its image is taken from elsewhere if need be.
GIT_SYNC = os.environ.get(
    "GIT_SYNC_IMAGE",
    VALUES["airflow"]["dags"]["git"]["image"].replace("registry.k8s.io", paths.REGISTRY_HOST),
)

DAG = """
import time
from datetime import UTC, datetime

from version import VERSION

try:
    from airflow.sdk import Variable, dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task
    from airflow.models import Variable


@dag(schedule=None, start_date=datetime(2024, 1, 1, tzinfo=UTC), description=VERSION)
def versions():
    @task
    def before():
        print(f"this is version {VERSION}")
        while Variable.get("go_on", "no") != "yes":
            time.sleep(0.5)

    @task
    def after():
        print(f"this is version {VERSION}")

    before() >> after()


versions()
"""


@pytest.fixture(scope="module")
def server(sandbox: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    """A private repository with two DAGs."""
    with git_server(tmp_path_factory.mktemp("git")) as running:
        yield running


@pytest.fixture(scope="module", params=RELEASES)
def airflow(request: pytest.FixtureRequest, server: GitServer) -> Iterator[Deployment]:
    """An empty namespace for an Airflow that gets its DAGs from there."""
    version: str = request.param
    if not RELEASES[version].dag_bundles:
        crane = subprocess.run(["crane", "digest", GIT_SYNC], capture_output=True, check=False)
        if crane.returncode:
            pytest.skip(
                f"there is no {GIT_SYNC}: copy git-sync's image there, or name it in GIT_SYNC_IMAGE"
            )
    server.commit(
        {
            "team/dags/smoke.py": (ROOT / "dags" / "smoke.py").read_text(),
            "team/dags/versions.py": DAG,
            "team/dags/version.py": f'VERSION = "one"  # on {version}\n',
        }
    )
    place = on(in_namespace("airflow-git", 30091), version=version)
    git = {
        "repository": server.url,
        "folder": "team/dags",
        "interval": 5,
        "secret": SECRET,
        "image": GIT_SYNC,
    }
    overrides = " ".join(f"airflow.dags.git.{key}={value}" for key, value in git.items())
    more = f"{place.overrides} airflow.dags.source=git {overrides}"
    deployment = dataclasses.replace(place, overrides=more)
    deployment.remove(wait=True)
    deployment.kubectl("create", "namespace", deployment.namespace)
    yield deployment
    deployment.remove()


def login(airflow: Deployment, password: str) -> None:
    """Write the Secret."""
    airflow.kubectl("delete", "secret", SECRET, "--ignore-not-found")
    values = (f"--from-literal=username={USER}", f"--from-literal=password={password}")
    airflow.kubectl("create", "secret", "generic", SECRET, *values)


def active(airflow: Deployment) -> set[str]:
    """The DAGs that the UI shows."""
    return {dag["dag_id"] for dag in airflow.rest().get("/dags")["dags"]}


def test_a_wrong_password_is_an_error_of_make_up(airflow: Deployment) -> None:
    login(airflow, "wrong")
    output = airflow.make("up", ok=False)
    assert "Authentication failed for" in output
    assert "airflow-dag-processor" in output


def test_dags_come_from_the_repository_and_run(airflow: Deployment) -> None:
    login(airflow, PASSWORD)
    assert "DAG smoke, run up-" in airflow.make("up")
    rest = airflow.rest()
    assert active(airflow) == {"smoke", "versions"}
    assert rest.get("/importErrors")["import_errors"] == []


def test_a_commit_is_run_without_a_build_or_a_rolled_pod(
    airflow: Deployment, server: GitServer
) -> None:
    rest = airflow.rest()
    before = components(airflow)
    rest.post("/variables", {"key": "go_on", "value": "no"})
    start(airflow, "versions", "begun-before")
    wait_until_running(airflow, "versions", "begun-before", "before")
    wait_for(
        "the code",
        lambda: "version one" in said(airflow, "versions", "begun-before").get("before", ""),
    )
    server.commit({"team/dags/version.py": 'VERSION = "two"\n'})
    wait_for("the commit", lambda: rest.get("/dags/versions")["description"] == "two", 120)
    rest.patch("/variables/go_on", {"key": "go_on", "value": "yes"})
    end(airflow, "versions", "begun-before")
    start(airflow, "versions", "begun-after")
    end(airflow, "versions", "begun-after")

    # On Airflow 3 a run keeps the version with which it began; on 2 each task takes the newest.
    kept = RELEASES[airflow.target().settings.airflow.version].dag_bundles
    assert "version one" in said(airflow, "versions", "begun-before")["before"]
    assert (
        f"version {'one' if kept else 'two'}" in said(airflow, "versions", "begun-before")["after"]
    )
    assert all("version two" in log for log in said(airflow, "versions", "begun-after").values())
    assert components(airflow) == before


def test_no_log_shows_the_password(airflow: Deployment) -> None:
    pods = components(airflow)  # a task's pod may go while its log is read, which Airflow has too
    texts = [airflow.kubectl("logs", f"pod/{pod}", "--all-containers") for pod in pods]
    texts += [
        log
        for run in ("begun-before", "begun-after")
        for log in said(airflow, "versions", run).values()
    ]
    assert len(texts) > 8
    assert not any(PASSWORD in text or "s3cret" in text for text in texts)


@pytest.mark.long
def test_a_ref_that_is_not_there_is_told_by_what_fetches(
    airflow: Deployment, tmp_path: Path
) -> None:
    more = dataclasses.replace(airflow, overrides=f"{airflow.overrides} airflow.dags.git.ref=gone")
    objects = {(obj["kind"], obj["metadata"]["name"]): obj for obj in more.rendered()}
    template = objects["Deployment", "airflow-dag-processor"]["spec"]["template"]["spec"]
    fetches = template.pop("initContainers")[0]
    for key in ("restartPolicy", "startupProbe", "livenessProbe", "readinessProbe"):
        fetches.pop(key, None)
    config = objects["ConfigMap", "airflow-config"]["data"]
    known = {item["name"] for item in fetches["env"]}
    fetches["env"] += [{"name": k, "value": v} for k, v in config.items() if k not in known]
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "fetches-nothing"},
        "spec": {**template, "containers": [fetches], "restartPolicy": "Never"},
    }
    file = tmp_path / "pod.json"
    file.write_text(json.dumps(pod))
    airflow.kubectl("create", "--filename", str(file))
    phase = ("wait", "pod/fetches-nothing", "--for=jsonpath={.status.phase}=Failed")
    airflow.kubectl(*phase, "--timeout=60s")
    log = airflow.kubectl("logs", "pod/fetches-nothing")
    assert "gone" in log
    assert "did not match any file(s) known to git" in log or "couldn't find remote ref" in log


@pytest.mark.long
def test_dags_move_into_the_image_and_back(airflow: Deployment) -> None:
    runs = airflow.all_runs()
    words = [word for word in airflow.overrides.split() if not word.startswith("airflow.dags.")]
    image = dataclasses.replace(airflow, overrides=" ".join(words))
    assert "DAG smoke, run up-" in image.make("up")
    wait_for("the repository's DAG to go", lambda: "versions" not in active(airflow))
    assert "DAG smoke, run up-" in airflow.make("up")
    wait_for("the repository's DAG", lambda: "versions" in active(airflow))
    start(airflow, "versions", "after-the-way-back")
    end(airflow, "versions", "after-the-way-back")
    assert runs < airflow.all_runs()
