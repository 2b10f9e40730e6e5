"""Wait until the metadata database is what this image's Airflow expects.

    python wait_for_migrations.py [--database-only] [--external] [--timeout SECONDS]

By default: until every alembic version table holds exactly the heads that were written into
heads.json when the image was built. With --database-only: until the server accepts an
authenticated connection to the database, which is what the migration Job itself needs. In both
cases, until no restore is at work. With --external the server should be there already: a host
without an address, and a user or a database that it refuses, are believed after some seconds.

The database is the one of AIRFLOW__DATABASE__SQL_ALCHEMY_CONN. It is read through MySQLdb alone,
which takes 0.1 s; ``airflow db check-migrations`` spends seconds of processor time importing
Airflow, in every pod that starts.

Exit codes: 0 ready, 1 not ready in time, 2 wrong use, EX_CONFIG (78) refused and no restart will
help. The password is never printed.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import MySQLdb

URL_VARIABLE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
HEADS_FILE = Path(__file__).with_name("heads.json")
POLL_SECONDS = 0.5
REPORT_SECONDS = 5
CONNECT_TIMEOUT_SECONDS = 5
SESSION = "SET time_zone = '+00:00', wait_timeout = 28800"
"""What a connection begins with: Airflow's own work in UTC, whatever the server's time zone is
(airflow/utils/orm_event_handlers.py), and columns of type TIMESTAMP are read in the session's. A
server that ends silent sessions within seconds would end one that sleeps between two looks."""
BELIEF_SECONDS = 10
"""How long an external server may refuse the connection before that is believed."""
REFUSALS = {1044, 1045, 1049, 1698, 2005}
"""MySQL's errors for a user, password, database or host that waiting does not make right."""
NO_SUCH_TABLE = 1146
RESTORE_MARK = "restore_incomplete"
"""A table that `make restore` makes before it empties the database, and drops at its end."""

Heads = dict[str, list[str]]


def connect_arguments(url: str) -> dict[str, Any]:
    """Return MySQLdb.connect's arguments for an SQLAlchemy URL of MySQL.

    ``ssl_ca``, ``ssl_key`` and the like go into one ``ssl`` mapping, other query arguments
    (``ssl_mode``, ``charset``) are passed on by name, as SQLAlchemy's mysqldb dialect does. The
    connection begins with SESSION.
    Raises ValueError for a URL of another database, or one without host or database name; no
    message quotes the URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 3306
    except ValueError:
        raise ValueError("not a URL; is the password percent-encoded?") from None
    if not parts.scheme.startswith("mysql"):
        raise ValueError("its scheme must be mysql")
    name = unquote(parts.path.lstrip("/"))
    if not parts.hostname or not name:
        raise ValueError("it must name a host and a database")
    arguments: dict[str, Any] = {
        "host": parts.hostname,
        "port": port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": name,
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "init_command": SESSION,
    }
    ssl = {}
    for key, value in parse_qsl(parts.query):
        if key.startswith("ssl_") and key != "ssl_mode":
            ssl[key.removeprefix("ssl_")] = value
        else:
            arguments[key] = int(value) if value.isdigit() else value
    if ssl:
        arguments["ssl"] = ssl
    return arguments


def connect(arguments: dict[str, Any]) -> tuple[Any, str, bool]:
    """Return a connection; or None, the reason, and whether it is one of REFUSALS."""
    try:
        return MySQLdb.connect(**arguments), "", False
    except MySQLdb.OperationalError as error:
        return None, f"a connection: {error.args[-1]}", error.args[0] in REFUSALS


def what_is_missing(connection: Any, expected: Heads) -> str:
    """Return why the database is not as expected yet, or an empty string when it is."""
    try:
        cursor = connection.cursor()
        cursor.execute("SHOW TABLES LIKE %s", (RESTORE_MARK,))
        if cursor.fetchone():
            return f"the end of a restore (the table {RESTORE_MARK}); if it failed, restore again"
        for table, heads in expected.items():
            found = read_heads(cursor, table)
            if found != heads:
                return f"{table} to be {' '.join(heads)}; it is {' '.join(found) or 'empty'}"
        return ""
    except MySQLdb.OperationalError as error:  # the server went away in between
        return f"an answer: {error.args[-1]}"
    finally:
        connection.close()


def read_heads(cursor: Any, table: str) -> list[str]:
    """Return the sorted heads in a version table; none if the table does not exist."""
    try:
        # The name comes from the image's own heads.json; a name cannot be a query parameter.
        cursor.execute(f"SELECT version_num FROM {table} ORDER BY version_num")  # noqa: S608
    except MySQLdb.ProgrammingError as error:
        if error.args[0] != NO_SUCH_TABLE:
            raise
        return []
    return [row[0] for row in cursor.fetchall()]


def wait(arguments: dict[str, Any], expected: Heads, timeout: float, external: bool) -> int:
    """Poll until nothing is missing; report every few seconds. Return the exit code."""
    place = f"{arguments['host']}:{arguments['port']}/{arguments['database']}"
    started = time.monotonic()
    reported = -REPORT_SECONDS
    accepted = 0.0
    while True:
        connection, missing, refused = connect(arguments)
        if connection:
            missing = what_is_missing(connection, expected)
        elapsed = time.monotonic() - started
        if not missing:
            print(f"{elapsed:4.0f} s  {place}: ready")
            return 0
        if not refused:
            accepted = elapsed
        elif external and elapsed - accepted >= BELIEF_SECONDS:
            print(f"gave up on {place}: check database.external and its Secret: {missing}")
            return os.EX_CONFIG
        if elapsed >= timeout:
            print(f"gave up on {place} after {elapsed:.0f} s, still waiting for {missing}")
            return 1
        if elapsed - reported >= REPORT_SECONDS:
            print(f"{elapsed:4.0f} s  {place}: waiting for {missing}", flush=True)
            reported = elapsed
        time.sleep(POLL_SECONDS)


def main() -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description="Wait for the metadata database.")
    parser.add_argument("--database-only", action="store_true", help="do not wait for migrations")
    parser.add_argument("--external", action="store_true", help="the server should be there")
    parser.add_argument("--timeout", type=float, default=600, metavar="SECONDS")
    options = parser.parse_args()
    try:
        arguments = connect_arguments(os.environ[URL_VARIABLE])
    except KeyError:
        parser.error(f"{URL_VARIABLE} is not set")
    except ValueError as error:
        parser.error(f"{URL_VARIABLE}: {error}")
    expected = {} if options.database_only else json.loads(HEADS_FILE.read_text())
    return wait(arguments, expected, options.timeout, options.external)


if __name__ == "__main__":
    sys.exit(main())
