"""`make smoke`: trigger the smoke DAG through the REST API and wait for it."""

import itertools
import sys
import time
from datetime import UTC, datetime

from ..errors import CommandError
from .rest import Rest, RestError
from .target import Target

DAG = "smoke"
TIMEOUT = 300.0
DONE = ("success", "failed")


def smoke(here: Target, name: str | None = None) -> None:
    """Run the DAG and wait; a run `name` that ended in success already is only looked at.

    Raises CommandError with the failed tasks' last log lines if the run does not end in success.
    """
    rest = Rest(here)
    started = time.monotonic()
    _wait_for_dag(rest, started)
    rest.patch(f"/dags/{DAG}", {"is_paused": False})
    run_id = _trigger(rest, name or f"smoke-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
    said: dict[str, str] = {}
    while True:
        run = rest.get(f"/dags/{DAG}/dagRuns/{run_id}")
        tasks = rest.tasks(DAG, run_id)
        states = {task["task_id"]: task["state"] or "waiting" for task in tasks}
        if states != said:
            text = ", ".join(f"{task} {state}" for task, state in states.items())
            print(f"  {time.monotonic() - started:4.0f} s  {text}", file=sys.stderr, flush=True)
            said = states
        if run["state"] in DONE:
            break
        if time.monotonic() - started > TIMEOUT:
            raise CommandError(f"{DAG} {run_id} is {run['state']} after {TIMEOUT:.0f} s: {states}")
        time.sleep(0.5)
    if run["state"] != "success":
        logs = "\n".join(rest.log(DAG, run_id, task) for task in tasks if task["state"] == "failed")
        raise CommandError(f"{DAG} {run_id} failed\n{logs}")
    print(f"DAG {DAG}, run {run_id}: {run['state']}")


def _trigger(rest: Rest, name: str) -> str:
    """The id of a new run, or of the one called `name` unless it failed: then name-2, name-3 …"""
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


def _wait_for_dag(rest: Rest, started: float) -> None:
    """The DAG processor parses the folder some seconds after it started."""
    while True:
        try:
            rest.get(f"/dags/{DAG}")
            return
        except RestError as error:
            if error.status != 404 or time.monotonic() - started > TIMEOUT:
                raise
        time.sleep(0.5)
