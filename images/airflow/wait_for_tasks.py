"""Wait for the tasks that another executor started and still runs.

    python wait_for_tasks.py --timeout SECONDS

Runs before a scheduler starts. A scheduler adopts the running tasks of its predecessor if its own
executor can look after them; others it takes for orphans and runs a second time. So after a change
of the executor it must not start before they end. Without such a change there are none.

Tasks that another executor has only queued are queued again: CeleryExecutor, for example, would
take the id that KubernetesExecutor wrote for a message of its own, and wait for it. Tasks that have
not begun lose an executor that is not in the setting any more: 3.x writes it when a run begins and
would keep them waiting for ever.

A task is alive if it had a heartbeat within HEARTBEAT_SECONDS. After the timeout the scheduler may
start, with a message: tasks that run longer than that are run again.

Exit codes: 0 the scheduler may start, 2 wrong use.
"""

import argparse
import os
import sys
import time
from typing import Any

import MySQLdb
from task_location import expected_location, location_of, location_of_queued
from wait_for_migrations import REPORT_SECONDS, URL_VARIABLE, connect_arguments

POLL_SECONDS = 1
HEARTBEAT_SECONDS = 120

# Airflow 3 writes a task's heartbeat to its own row; in Airflow 2, its supervisor is a job.
TASK_HAS_HEARTBEAT = "SHOW COLUMNS FROM task_instance LIKE 'last_heartbeat_at'"
ALIVE_BY_TASK = """
    SELECT dag_id, task_id, hostname, executor, queue FROM task_instance
    WHERE state = 'running' AND last_heartbeat_at > UTC_TIMESTAMP(6) - INTERVAL %s SECOND
"""
ALIVE_BY_JOB = """
    SELECT task.dag_id, task.task_id, task.hostname, task.executor, task.queue
    FROM task_instance task JOIN job ON job.id = task.job_id
    WHERE task.state = 'running' AND job.state = 'running'
      AND job.latest_heartbeat > UTC_TIMESTAMP(6) - INTERVAL %s SECOND
"""
QUEUED = """
    SELECT dag_id, task_id, run_id, map_index, executor, queue, external_executor_id
    FROM task_instance WHERE state = 'queued' AND external_executor_id IS NOT NULL
"""
FREE = """
    UPDATE task_instance SET external_executor_id = NULL
    WHERE dag_id = %s AND task_id = %s AND run_id = %s AND map_index = %s
      AND state = 'queued' AND external_executor_id = %s
"""

NOTED = """
    SELECT DISTINCT executor FROM task_instance WHERE executor IS NOT NULL
      AND (state IS NULL OR state IN ('scheduled', 'queued', 'up_for_retry', 'up_for_reschedule',
                                      'deferred'))
"""
FORGET = """
    UPDATE task_instance SET executor = NULL WHERE executor = %s
      AND (state IS NULL OR state IN ('scheduled', 'queued', 'up_for_retry', 'up_for_reschedule',
                                      'deferred'))
"""


def forget_executors(connection: Any, setting: str) -> None:
    """Leave the tasks of executors that are not in the setting to its first executor."""
    cursor = connection.cursor()
    cursor.execute(NOTED)
    for (executor,) in cursor.fetchall():
        if expected_location(setting, executor, "") is None:
            count = cursor.execute(FORGET, (executor,))
            print(f"{count} tasks of {executor}, which is gone, get the default one", flush=True)
    connection.commit()


def free_queued(connection: Any, setting: str) -> None:
    """Remove the other executor's id from the tasks that it queued."""
    cursor = connection.cursor()
    cursor.execute(QUEUED)
    for dag, task, run, index, executor, queue, identity in cursor.fetchall():
        if location_of_queued(identity) != expected_location(setting, executor, queue):
            cursor.execute(FREE, (dag, task, run, index, identity))
            print(f"{dag}.{task} of {run} of another executor will be queued again", flush=True)
    connection.commit()


def elsewhere(cursor: Any, setting: str) -> list[str]:
    """The living tasks that run where this executor (`core.executor`) does not look."""
    cursor.execute(TASK_HAS_HEARTBEAT)
    query = ALIVE_BY_TASK if cursor.fetchone() else ALIVE_BY_JOB
    cursor.execute(query, (HEARTBEAT_SECONDS,))
    return [
        f"{dag}.{task} on {host}"
        for dag, task, host, executor, queue in cursor.fetchall()
        if location_of(host) != expected_location(setting, executor, queue)
        # The scheduler that ran it is gone, and the task with it.
        and location_of(host) != "scheduler"
    ]


def wait(arguments: dict[str, Any], setting: str, timeout: float) -> None:
    """Poll until no such task is alive, or until the timeout; report every few seconds."""
    started = time.monotonic()
    reported = -REPORT_SECONDS
    while True:
        connection = MySQLdb.connect(**arguments)
        try:
            free_queued(connection, setting)
            forget_executors(connection, setting)
            tasks = elsewhere(connection.cursor(), setting)
        finally:
            connection.close()
        elapsed = time.monotonic() - started
        if not tasks:
            print(f"{elapsed:4.0f} s  no task of another executor is running")
            return
        if elapsed >= timeout:
            print(f"{elapsed:4.0f} s  gave up waiting; these are run again: {', '.join(tasks)}")
            return
        if elapsed - reported >= REPORT_SECONDS:
            print(f"{elapsed:4.0f} s  another executor still runs: {', '.join(tasks)}", flush=True)
            reported = elapsed
        time.sleep(POLL_SECONDS)


def main() -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description="Wait for another executor's tasks.")
    parser.add_argument("--timeout", type=float, required=True, metavar="SECONDS")
    options = parser.parse_args()
    wait(
        connect_arguments(os.environ[URL_VARIABLE]),
        os.environ["AIRFLOW__CORE__EXECUTOR"],
        options.timeout,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
