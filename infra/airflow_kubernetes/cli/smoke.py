"""`make smoke`: run the smoke DAG through the REST API and wait for its end."""

import itertools
import time
from datetime import UTC, datetime

from ..airflow import image_catalog
from ..console import Stopwatch
from ..errors import CommandError
from .rest import Rest, RestError
from .target import Target

DAG = "smoke"
TIMEOUT = 300.0
DONE = ("success", "failed")


def run(target: Target, *, once: bool) -> None:
    """Run the DAG; `once` for each version of the DAGs, and not while Airflow is stopped."""
    if not once:
        smoke(target)
    elif not target.settings.airflow.stopped:
        name = image_catalog.of_dag_code(target.settings)
        tag = next(spec.tag for spec in image_catalog.every(target.settings) if spec.name == name)
        smoke(target, f"up-{tag}")


def smoke(target: Target, name: str | None = None) -> None:
    """Run the DAG and wait. A run `name` that has succeeded already is not repeated.

    Raises CommandError, with the logs of the failed tasks, if the run does not succeed.
    """
    rest, stopwatch = Rest(target), Stopwatch()
    _wait_for_dag(rest, stopwatch)
    rest.patch(f"/dags/{DAG}", {"is_paused": False})
    run_id = _trigger(rest, name or f"smoke-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
    while True:
        state = rest.get(f"/dags/{DAG}/dagRuns/{run_id}")["state"]
        tasks = rest.tasks(DAG, run_id)
        states = (f"{task['task_id']} {task['state'] or 'waiting'}" for task in tasks)
        stopwatch.say(", ".join(states))
        if state in DONE:
            break
        if stopwatch.seconds > TIMEOUT:
            raise CommandError(f"{DAG} {run_id} is {state} after {TIMEOUT:.0f} s, see above")
        time.sleep(0.5)
    if state != "success":
        logs = "\n".join(rest.log(DAG, run_id, task) for task in tasks if task["state"] == "failed")
        raise CommandError(f"{DAG} {run_id} failed\n{logs}")
    print(f"DAG {DAG}, run {run_id}: {state}")


def _trigger(rest: Rest, name: str) -> str:
    """The id of a new run, or of the run `name` unless it failed: then of name-2, name-3 …"""
    for attempt in itertools.count(1):
        run_id = name if attempt == 1 else f"{name}-{attempt}"
        try:
            rest.trigger(DAG, run_id)
        except RestError as error:
            if error.status != 409:  # 409: this run exists
                raise
            if rest.get(f"/dags/{DAG}/dagRuns/{run_id}")["state"] == "failed":
                continue
        return run_id
    raise AssertionError("itertools.count ended")


def _wait_for_dag(rest: Rest, stopwatch: Stopwatch) -> None:
    """Wait until the DAG processor has parsed the folder, some seconds after its start."""
    while True:
        try:
            rest.get(f"/dags/{DAG}")
            return
        except RestError as error:
            if error.status != 404 or stopwatch.seconds > TIMEOUT:
                raise
        time.sleep(0.5)
