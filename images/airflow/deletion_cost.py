"""Write on the pod of each Celery worker how many tasks it runs, as the cost of its deletion.

    python deletion_cost.py COMPONENT …

Where an autoscaler has workers removed, Kubernetes takes those of the lowest cost first (its
documentation of ReplicaSet, "Pod deletion cost"): idle ones. Those that it takes take no more tasks
and end the ones that they have, so a number that is some seconds old ends no task.
"""

import http.client
import os
import sys
import time
import urllib.error
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import MySQLdb
from kubernetes_api import Pod, annotate, namespace, pods
from wait_for_migrations import URL_VARIABLE, connect_arguments

ALIVE = Path("/tmp/deletion-cost")
COST = "controller.kubernetes.io/pod-deletion-cost"
POLL_SECONDS = 5

# Airflow writes the name of a worker's pod as the host of its tasks.
RUNNING = """
    SELECT hostname, COUNT(*) FROM task_instance
    WHERE state = 'running' AND hostname IS NOT NULL GROUP BY hostname
"""


def running(arguments: dict[str, Any]) -> dict[str, int]:
    """The number of running tasks by host."""
    connection = MySQLdb.connect(**arguments)
    try:
        cursor = connection.cursor()
        cursor.execute(RUNNING)
        return dict(cursor.fetchall())
    finally:
        connection.close()


def changes(found: Iterable[Pod], tasks: Mapping[str, int]) -> Iterator[tuple[str, str | None]]:
    """Name and new cost of each pod whose cost is another; None for a worker that is idle.

    A pod that is being deleted has no use for a cost.
    """
    for pod in found:
        metadata = pod["metadata"]
        count = tasks.get(metadata["name"], 0)
        cost = str(count) if count else None
        if (
            cost != metadata.get("annotations", {}).get(COST)
            and "deletionTimestamp" not in metadata
        ):
            yield metadata["name"], cost


def look(place: str, selector: str, arguments: dict[str, Any]) -> None:
    """Write what has changed. Raises OSError and MySQLdb.Error."""
    tasks = running(arguments)
    for name, cost in [*changes(pods(place, {"labelSelector": selector}), tasks)]:
        try:
            annotate(place, name, {COST: cost})
        except urllib.error.HTTPError as error:
            if error.code != 404:  # deleted meanwhile
                raise
        print(f"{name} runs {cost or 'no'} tasks", flush=True)


def main() -> int:
    """Look every few seconds, for ever."""
    if not sys.argv[1:]:
        print(__doc__)
        return 2
    components = ",".join(sys.argv[1:])
    selector = f"app.kubernetes.io/name=airflow,app.kubernetes.io/component in ({components})"
    arguments = connect_arguments(os.environ[URL_VARIABLE])
    while True:
        try:
            look(namespace(), selector, arguments)
            ALIVE.touch()
        except (OSError, ValueError, http.client.HTTPException, MySQLdb.Error) as error:
            print(f"not known, or not written: {error}", flush=True)  # the next may succeed
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
