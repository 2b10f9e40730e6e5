"""Print how tasks used slots and requests, as one line of JSON.

    python usage.py --days DAYS [--slots PLACE=NUMBER …]

From Airflow's own tables, on either line: the tries of tasks, with the times at which they were
queued, began and ended; and what the pods of KubernetesExecutor used, which the executor writes
into the event log (config/task_pods). A PLACE is where tasks run, `worker-<set>`, `scheduler` or
`pod`; NUMBER is how many slots it always has.

Both lines have indexes by run, and none by time. So runs are looked through for those of the time,
and tasks are found by their runs: no table of tasks is scanned. Rows arrive one by one.

Exit codes: 0 done, 1 the database does not answer, 2 wrong use.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import MySQLdb
from MySQLdb.cursors import SSCursor
from usage_summary import DAY, Try, summary
from wait_for_migrations import URL_VARIABLE, connect_arguments

# A task that waits for its next try still has the times of its last one, which is in the history.
TRIES = """
    SELECT t.dag_id, COALESCE(t.queue, ''), COALESCE(t.hostname, ''),
           UNIX_TIMESTAMP(t.queued_dttm) + 0e0, UNIX_TIMESTAMP(t.start_date) + 0e0,
           UNIX_TIMESTAMP(t.end_date) + 0e0
    FROM dag_run r
    STRAIGHT_JOIN task_instance t FORCE INDEX (ti_dag_run)
      ON t.dag_id = r.dag_id AND t.run_id = r.run_id
    WHERE (r.end_date IS NULL OR r.end_date >= FROM_UNIXTIME(%(since)s))
      AND t.state IN ('success', 'failed', 'running', 'skipped') AND t.start_date IS NOT NULL
      AND (t.end_date IS NULL OR t.end_date >= FROM_UNIXTIME(%(since)s))
"""
FORMER_TRIES = """
    SELECT t.dag_id, COALESCE(t.queue, ''), COALESCE(t.hostname, ''),
           UNIX_TIMESTAMP(t.queued_dttm) + 0e0, UNIX_TIMESTAMP(t.start_date) + 0e0,
           UNIX_TIMESTAMP(t.end_date) + 0e0
    FROM dag_run r
    STRAIGHT_JOIN task_instance i FORCE INDEX (ti_dag_run)
      ON i.dag_id = r.dag_id AND i.run_id = r.run_id
    STRAIGHT_JOIN task_instance_history t
      ON t.dag_id = i.dag_id AND t.task_id = i.task_id AND t.run_id = i.run_id
      AND t.map_index = i.map_index
    WHERE (r.end_date IS NULL OR r.end_date >= FROM_UNIXTIME(%(since)s))
      AND i.try_number > 1 AND t.start_date IS NOT NULL
      AND t.end_date >= FROM_UNIXTIME(%(since)s)
"""
USES = """
    SELECT l.dag_id, COALESCE(t.queue, ''), l.task_id, l.extra
    FROM log l
    STRAIGHT_JOIN task_instance t
      ON t.dag_id = l.dag_id AND t.task_id = l.task_id AND t.run_id = l.run_id
      AND t.map_index = l.map_index
    WHERE l.event = 'task pod used' AND l.dttm >= FROM_UNIXTIME(%(since)s)
"""
FIRST = "SELECT UNIX_TIMESTAMP(MIN(start_date)) FROM dag_run"
LIMIT = "SET SESSION MAX_EXECUTION_TIME = 300000"
"""Milliseconds that a query may take."""


def read(connection: Any, days: int, slots: Mapping[str, int]) -> dict[str, Any]:
    """The summary of the last days, or of all there is, if that is less."""
    cursor = connection.cursor()
    cursor.execute(LIMIT)
    cursor.execute(FIRST)
    first, until = cursor.fetchone()[0], time.time()
    since = max(until - days * DAY, float(first or 0))
    return summary(
        (Try(*row) for query in (TRIES, FORMER_TRIES) for row in _rows(connection, query, since)),
        ((*names, json.loads(extra)) for *names, extra in _rows(connection, USES, since)),
        slots,
        since,
        until,
    )


def _rows(connection: Any, query: str, since: float) -> Iterator[tuple[Any, ...]]:
    """Rows as the server sends them."""
    cursor = connection.cursor(SSCursor)
    cursor.execute(query, {"since": since})
    yield from cursor
    cursor.close()


def _slots(text: str) -> tuple[str, int]:
    place, _, number = text.partition("=")
    return place, int(number)


def main() -> int:
    """Read the database, and print what was found."""
    parser = argparse.ArgumentParser(description="Print how tasks used slots and requests.")
    parser.add_argument("--days", type=int, required=True)
    parser.add_argument("--slots", type=_slots, nargs="*", default=[], metavar="PLACE=NUMBER")
    options = parser.parse_args()
    try:
        connection = MySQLdb.connect(**connect_arguments(os.environ[URL_VARIABLE]))
        try:
            print(json.dumps(read(connection, options.days, dict(options.slots))))
        finally:
            connection.close()
    except MySQLdb.Error as error:
        print(f"the database does not answer: {error.args[-1]}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
