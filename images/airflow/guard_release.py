"""Refuse to migrate a database of another release, unless there is a backup of it.

    python guard_release.py

MySQL cannot undo a migration, and components of the old release do not survive it. So it goes on
only if the database is empty or already at this image's heads, or if the variable
RELEASE_CHANGE_FROM names exactly the heads that it has (they are written where the backup was
taken) and nothing has a fresh heartbeat: no component and, in 2.x, no task.

An empty database is refused, too, if INSTALLED_RELEASE names a release: Airflow ran here, so its
data is lost, or the database is another one.

Exit codes: 0 go on, 1 refused.
"""

import json
import os
import sys
import time
from typing import Any

import MySQLdb
from wait_for_migrations import HEADS_FILE, URL_VARIABLE, connect_arguments, read_heads

HEARTBEAT_SECONDS = 30
WAIT_SECONDS = 60

VERSION_TABLES = """
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_name LIKE 'alembic\\_version%' ORDER BY table_name
"""
LIVE = """
    SELECT DISTINCT CONCAT(job_type, ' on ', hostname) FROM job
    WHERE state = 'running' AND latest_heartbeat > UTC_TIMESTAMP(6) - INTERVAL %s SECOND
"""


def heads_of(cursor: Any) -> dict[str, list[str]]:
    """The heads by version table, of all such tables that the database has."""
    cursor.execute(VERSION_TABLES)
    tables = [row[0] for row in cursor.fetchall()]
    found = {table: read_heads(cursor, table) for table in tables}
    return {table: heads for table, heads in found.items() if heads}


def as_text(heads: dict[str, list[str]]) -> str:
    """Heads on one line: `alembic_version=1949afb29106 alembic_version_fab=6709f7a774b9`."""
    return " ".join(f"{table}={','.join(found)}" for table, found in sorted(heads.items()))


def live(connection: Any) -> list[str]:
    """What has a fresh heartbeat; jobs that end within WAIT_SECONDS are waited for."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        cursor = connection.cursor()
        cursor.execute(LIVE, (HEARTBEAT_SECONDS,))
        found = [row[0] for row in cursor.fetchall()]
        connection.rollback()  # the next look is at a new snapshot
        if not found or time.monotonic() > end:
            return found
        time.sleep(2)


def new() -> int:
    """Whether an empty database may become a new Airflow; prints it and returns the exit code."""
    if installed := os.environ.get("INSTALLED_RELEASE"):
        print(f"refused: the database is empty, and Airflow {installed} was installed here. Set "
              "its address and name back, or load a backup: airflow.stopped: true, make up, make "
              "restore. To begin again without the data: make down, delete the ConfigMap "
              "airflow-release, make up")  # fmt: skip
        return 1
    print("the database is new")
    return 0


def main() -> int:
    """Print what was found and whether it goes on."""
    expected = json.loads(HEADS_FILE.read_text())
    backup = os.environ.get("RELEASE_CHANGE_BACKUP")
    connection = MySQLdb.connect(**connect_arguments(os.environ[URL_VARIABLE]))
    try:
        heads = heads_of(connection.cursor())
        if backup and os.environ.get("RELEASE_CHANGE_FROM") == os.environ["AIRFLOW_VERSION"]:
            print(f"refused: a migration to another release failed, and its half may be there "
                  f"still. Run make restore FROM={backup} first")  # fmt: skip
            return 1
        if not heads:
            return new()
        if expected.items() <= heads.items():
            print("the database is of this release")
            return 0
        print(f"the database has {as_text(heads)}; this release has {as_text(expected)}")
        if os.environ.get("RELEASE_CHANGE_HEADS") != as_text(heads):
            print("refused: a release change needs a backup of just this database. Run make "
                  "upgrade, which stops Airflow, takes it, migrates and starts; or set "
                  "airflow.version back")  # fmt: skip
            return 1
        if still := live(connection):
            print(f"refused: still at work: {', '.join(still)}. Run make upgrade, which stops them")
            return 1
        print("there is a backup of it: migrating")
        return 0
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
