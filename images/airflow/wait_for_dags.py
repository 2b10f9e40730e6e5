"""Wait until the DAG processor of this pod has read all DAGs; print the import errors.

    python wait_for_dags.py --timeout SECONDS [--source NAME] [DAG …]

A DAG is read if it was parsed since this DAG processor began, or if its file has an import error
since. Those named on the command line must be there; of others, all that are in the database, or
those of one source among several: a bundle, and on Airflow 2 a folder of the DAG folder.
`make up` and `make dags` run it (cli/dags.py).

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
ERRORS = """
    SELECT filename, stacktrace FROM import_error WHERE timestamp >= %s AND {source} LIKE %s
    ORDER BY filename
"""
DAGS = """
    SELECT dag_id, fileloc, last_parsed_time >= %s FROM dag WHERE {present} AND {source} LIKE %s
"""


def errors_and_unread(
    cursor: Any, began: Any, expected: list[str], source: str
) -> tuple[list[tuple[str, str]], list[str]]:
    """Files with an import error, each with its text, and the DAGs that are not read yet."""
    cursor.execute(IS_STALE)
    present, columns, pattern = "is_active = 1", ("filename", "fileloc"), "%"
    if has_bundles := cursor.fetchone():
        present = "is_stale = 0"
    if source and has_bundles:
        columns, pattern = ("bundle_name", "bundle_name"), source
    elif source:
        pattern = f"{os.environ['AIRFLOW__CORE__DAGS_FOLDER']}/{source}/%"
    cursor.execute(ERRORS.format(source=columns[0]), (began, pattern))
    errors = [(str(file), str(text)) for file, text in cursor.fetchall()]
    cursor.execute(DAGS.format(present=present, source=columns[1]), (began, pattern))
    rows = cursor.fetchall()
    broken = tuple(file for file, _ in errors)
    read = {dag for dag, file, parsed in rows if parsed or str(file).endswith(broken)}
    known = {dag for dag, _, _ in rows}
    if not errors:  # else what is expected may be in such a file
        known |= set(expected)
    return errors, sorted(known - read) or ([] if known or errors else ["any DAG"])


def wait(arguments: dict[str, Any], expected: list[str], source: str, timeout: float) -> int:
    """Poll until all are read, or until the timeout; returns the exit code."""
    end = time.monotonic() + timeout
    connection = MySQLdb.connect(**arguments, autocommit=True)
    cursor = connection.cursor()
    while True:
        errors, unread = [], ["any DAG"]
        cursor.execute(BEGAN, (socket.getfqdn(),))
        (began,) = cursor.fetchone()
        if began is not None:
            errors, unread = errors_and_unread(cursor, began, expected, source)
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
    parser.add_argument("--source", default="", metavar="NAME")
    options = parser.parse_args()
    url = os.environ[URL_VARIABLE]
    return wait(connect_arguments(url), options.dags, options.source, options.timeout)


if __name__ == "__main__":
    sys.exit(main())
