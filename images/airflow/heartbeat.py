"""Exit with 0 if a component of this pod is alive: its heartbeat in the metadata database.

    python heartbeat.py JOB_TYPE [--threshold SECONDS]

For probes of components without an HTTP health address (DagProcessorJob, TriggererJob). The rule
is that of ``airflow jobs check --local``: a running job of that type on this host whose latest
heartbeat is younger than the threshold. That command takes seconds of processor time and 140 MB
to import Airflow, at every probe; this one reads the one row through MySQLdb.

Exit codes: 0 alive, 1 not, 2 wrong use.
"""

import argparse
import os
import socket
import sys

import MySQLdb
from wait_for_migrations import URL_VARIABLE, connect_arguments

# The heartbeat is written in UTC, so the comparison is made in UTC, by the server's clock.
QUERY = """
    SELECT TIMESTAMPDIFF(SECOND, MAX(latest_heartbeat), UTC_TIMESTAMP(6)) FROM job
    WHERE job_type = %s AND hostname = %s AND state = 'running'
"""


def main() -> int:
    """Read the newest heartbeat and print its age."""
    parser = argparse.ArgumentParser(description="Check a component's heartbeat.")
    parser.add_argument("job_type")
    parser.add_argument("--threshold", type=float, default=60, metavar="SECONDS")
    options = parser.parse_args()
    try:
        connection = MySQLdb.connect(**connect_arguments(os.environ[URL_VARIABLE]))
        try:
            cursor = connection.cursor()
            cursor.execute(QUERY, (options.job_type, socket.getfqdn()))
            age = cursor.fetchone()[0]
        finally:
            connection.close()
    except MySQLdb.Error as error:
        print(f"the database does not answer: {error.args[-1]}")
        return 1
    if age is None:
        print(f"no running {options.job_type} on {socket.getfqdn()}")
        return 1
    print(f"{options.job_type}: last heartbeat {age} s ago")
    return 0 if age < options.threshold else 1


if __name__ == "__main__":
    sys.exit(main())
