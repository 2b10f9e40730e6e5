"""Wait until the DAG processor of this pod has read all DAGs; print the import errors.

    python wait_for_dags.py --timeout SECONDS [DAG …]

A DAG is read if it was parsed since this DAG processor began, or if its file has an import error
since. Those named on the command line must be there; of others, all that are in the database.
`make up` and `make dags` run it (cli/read_dags.py).

Exit codes: 0 all DAGs are read and no file has an error, 1 some file has (on standard output, a
file and its last lines), 2 wrong use, 3 the time is over (what is not read).
"""

import argparse
import os
import socket
import sys
import time
from typing import Any

import MySQLdb
from wait_for_migrations import URL_VARIABLE, connect_arguments

POLL_SECONDS = 0.3
LINES = 6
"""How many of an error's last lines are printed: the place in the file, and the message."""

BEGAN = """
    SELECT MAX(start_date) FROM job WHERE job_type = 'DagProcessorJob' AND hostname = %s
"""
# Airflow 2 calls it active.
IS_STALE = "SHOW COLUMNS FROM dag LIKE 'is_stale'"
ERRORS = "SELECT filename, stacktrace FROM import_error WHERE timestamp >= %s ORDER BY filename"
DAGS = "SELECT dag_id, fileloc, last_parsed_time >= %s FROM dag WHERE {present}"


def errors_and_unread(
    cursor: Any, began: Any, expected: list[str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Files with an import error, each with its text, and the DAGs that are not read yet."""
    cursor.execute(ERRORS, (began,))
    errors = [(str(file), str(text)) for file, text in cursor.fetchall()]
    cursor.execute(IS_STALE)
    present = "is_stale = 0" if cursor.fetchone() else "is_active = 1"
    cursor.execute(DAGS.format(present=present), (began,))
    rows = cursor.fetchall()
    broken = tuple(file for file, _ in errors)
    read = {dag for dag, file, parsed in rows if parsed or str(file).endswith(broken)}
    known = {dag for dag, _, _ in rows}
    if not errors:  # else what is expected may be in such a file
        known |= set(expected)
    return errors, sorted(known - read) or ([] if known or errors else ["any DAG"])


def wait(arguments: dict[str, Any], expected: list[str], timeout: float) -> int:
    """Poll until all are read, or until the timeout; returns the exit code."""
    end = time.monotonic() + timeout
    connection = MySQLdb.connect(**arguments, autocommit=True)
    cursor = connection.cursor()
    while True:
        errors, unread = [], ["any DAG"]
        cursor.execute(BEGAN, (socket.getfqdn(),))
        (began,) = cursor.fetchone()
        if began is not None:
            errors, unread = errors_and_unread(cursor, began, expected)
        if not unread or time.monotonic() > end:
            break
        time.sleep(POLL_SECONDS)
    for file, text in errors:
        print(f"{file}:")
        print("".join(f"  {line}\n" for line in text.strip().splitlines()[-LINES:]), end="")
    if errors:
        return 1
    if unread:
        print(f"not read within {timeout:.0f} s: {', '.join(unread)}")
    return 3 if unread else 0


def main() -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description="Wait until the DAGs are read.")
    parser.add_argument("dags", nargs="*", metavar="DAG")
    parser.add_argument("--timeout", type=float, required=True, metavar="SECONDS")
    options = parser.parse_args()
    return wait(connect_arguments(os.environ[URL_VARIABLE]), options.dags, options.timeout)


if __name__ == "__main__":
    sys.exit(main())
