"""The part of `make bench` that follows a DAG from its edit to its first running task.

In the image and from Git, side by side, in one namespace after the other. Asserts nothing.
"""

import json
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sandbox import paths
from tests.cluster.checkout import checkout
from tests.cluster.conftest import ROOT, Deployment, in_namespace, use_sandbox, wait_for
from tests.cluster.git_server import PASSWORD, USER, git_server
from tests.cluster.scenarios import end, start

RUNS = 3
INTERVAL = 5
FILE = "bench.py"
DAG = """
from datetime import UTC, datetime

from airflow.sdk import dag, task


@dag(schedule=None, start_date=datetime(2024, 1, 1, tzinfo=UTC), description="EDIT")
def bench():
    @task
    def first():
        print("EDIT")

    first()


bench()
"""
ROW = "{:<58}{:>8} s   {}"


def edit(number: int) -> str:
    """The DAG's text after an edit."""
    return DAG.replace("EDIT", f"edit {number}")


def until_running(airflow: Deployment, deploy: Callable[[], object], number: int) -> list[float]:
    """Seconds from the edit until it is deployed, and until the first task of a run starts."""
    began = time.time()
    deploy()
    wait_for("the edit", lambda: _description(airflow) == f"edit {number}")
    deployed = time.time() - began
    run = f"edit-{number}"
    start(airflow, "bench", run)
    (task,) = end(airflow, "bench", run)
    return [deployed, datetime.fromisoformat(task["start_date"]).timestamp() - began]


def _description(airflow: Deployment) -> Any:
    found = airflow.rest().get("/dags?limit=100")["dags"]
    return next((dag["description"] for dag in found if dag["dag_id"] == "bench"), None)


def line(step: str, seconds: list[float], more: str = "") -> None:
    """The median, and all."""
    runs = " ".join(f"{one:.1f}" for one in seconds)
    print(ROW.format(step, f"{statistics.median(seconds):.1f}", f"({runs}) {more}"), flush=True)


def in_image(airflow: Deployment) -> None:
    """`make dags`, with an edit and without, and `make up` with one."""
    file = airflow.root / "dags" / FILE

    def deploy(goal: str, number: int) -> None:
        file.write_text(edit(number))
        airflow.make(goal, quiet=True)

    deploy("dags", 0)
    before = airflow.pods()
    times = [until_running(airflow, partial(deploy, "dags", n), n) for n in range(1, 1 + RUNS)]
    gone = sorted(name.removeprefix("airflow-") for name in before.keys() - airflow.pods().keys())
    line("DAG edited: make dags", [one for one, _ in times], f"replaced: {', '.join(gone)}")
    line("DAG edited: to its first running task", [one for _, one in times])
    unchanged = []
    for _ in range(RUNS):
        began = time.time()
        airflow.make("dags", quiet=True)
        unchanged.append(time.time() - began)
    line("make dags, nothing changed", unchanged)
    times = [until_running(airflow, partial(deploy, "up", 10), 10)]
    line("DAG edited: make up", [one for one, _ in times])
    print(f"{'layer of DAGs, pushed':<58}{layer(airflow):>8} bytes", flush=True)


def layer(airflow: Deployment) -> int:
    """Compressed bytes of the topmost layer of the running DAG processor's image."""
    path = "jsonpath={.spec.template.spec.containers[0].image}"
    image = airflow.kubectl("get", "deployment", "airflow-dag-processor", "-o", path)
    name, _, digest = image.partition("@")
    repository = name.removeprefix(f"{paths.REGISTRY_HOST}/").partition(":")[0]

    def manifest(reference: str) -> Any:
        kind = "application/vnd.oci.image"
        headers = {"Accept": f"{kind}.index.v1+json, {kind}.manifest.v1+json"}
        url = f"https://{paths.REGISTRY_HOST}/v2/{repository}/manifests/{reference}"
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return json.load(answer)

    index = manifest(digest)
    found = manifest(index["manifests"][0]["digest"]) if "manifests" in index else index
    return int(found["layers"][-1]["size"])


def from_git(airflow: Deployment, folder: Path) -> None:
    """A commit, and what Airflow 3 fetches of it."""
    with git_server(folder) as server:
        server.commit(
            {FILE: edit(0), "smoke.py": (ROOT / "dags" / "smoke.py").read_text(encoding="utf-8")}
        )
        login = (f"--from-literal=username={USER}", f"--from-literal=password={PASSWORD}")
        airflow.kubectl("create", "namespace", airflow.namespace)
        airflow.kubectl("create", "secret", "generic", "git-login", *login)
        git = {"repository": server.url, "folder": ".", "interval": INTERVAL, "secret": "git-login"}
        more = " ".join(f"airflow.dags.git.{key}={value}" for key, value in git.items())
        place = replace(airflow, overrides=f"{airflow.overrides} airflow.dags.source=git {more}")
        place.make("up", quiet=True)
        times = [
            until_running(place, partial(server.commit, {FILE: edit(n)}), n)
            for n in range(1, 1 + RUNS)
        ]
    name = f"DAG committed, from Git every {INTERVAL} s"
    line(f"{name}: until it is read", [one for one, _ in times])
    line(f"{name}: to its first running task", [one for _, one in times])


def main() -> None:
    """Print the table."""
    use_sandbox()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for name in ("checkout", "git"):
            (Path(folder) / name).mkdir()
        place = in_namespace("airflow-bench-dags", 30085)
        airflow = replace(place, root=checkout(Path(folder) / "checkout"))
        airflow.remove(wait=True)
        try:
            (airflow.root / "dags" / FILE).write_text(edit(0), encoding="utf-8")
            airflow.make("up", quiet=True)
            in_image(airflow)
            airflow.remove(wait=True)
            from_git(airflow, Path(folder) / "git")
        finally:
            airflow.remove(wait=True)


if __name__ == "__main__":
    main()
