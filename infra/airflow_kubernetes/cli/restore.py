"""`make restore`: load a backup, losing nothing that the database held before."""

import os
import re
import sys
import time

from ..airflow.migrations import RELEASE_CHANGE
from ..database import mysql
from ..database.backup import KINDS, restore_job
from ..errors import CommandError
from ..settings.schema import Settings
from . import installed_release
from .backup import job_name, run
from .target import Target

BACKUP = re.compile(rf"\d{{8}}T\d{{6}}Z-({'|'.join(KINDS)})")
DATABASE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
RESTORED = re.compile(r"^restored .* of Airflow (\S+) .*$", re.MULTILINE)
SYSTEM = ("information_schema", "mysql", "performance_schema", "sys")

PATIENCE = 300.0
"""Seconds for pods that were told to end."""

MAKE_DATABASE = r"""
set -eu
sql() { MYSQL_PWD="$MYSQL_ROOT_PASSWORD" mysql --user=root --skip-column-names --execute="$1"; }
sql "CREATE DATABASE IF NOT EXISTS \`$1\` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
tables=$(sql "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '$1'")
if [ "$tables" -gt 0 ]; then echo "$tables tables"; exit; fi
sql "GRANT ALL ON \`${1//_/\\_}\`.* TO '$MYSQL_USER'@'%'"
"""
"""Run in MySQL's pod, the only place where root may log in. The user gets no right on a database
that holds something; in a GRANT, _ would be a pattern.
"""


def from_variables(here: Target) -> None:
    """`make restore FROM=… [INTO=…]`. Raises as `restore` does."""
    here.kubectl.reach()
    name = os.environ.get("FROM", "")
    if not name:
        raise CommandError(
            f"name a backup: make restore FROM=<name> ENV={here.environment}; "
            f"make backups ENV={here.environment} lists them"
        )
    restore(here, name, os.environ.get("INTO") or None)


def restore(here: Target, name: str, into: str | None = None) -> None:
    """Load the backup `name` into the environment's database, or into the empty one `into`.

    What the environment's own database holds is backed up first. Raises CommandError for what is
    refused, RolloutError if it fails; the message tells how the database was left.
    """
    settings = here.settings
    if not BACKUP.fullmatch(name):
        raise CommandError(
            f"{name!r} is no backup's name, such as 20261122T020000Z-scheduled; "
            f"make backups ENV={here.environment} lists them"
        )
    if into is None:
        _wait_for_airflow_to_end(here)
    else:
        _check_name(settings, into)
        if settings.database.mode == "cluster":
            _make_database(here, into)
    running = installed_release.release(here) or settings.airflow.version
    database = settings.database.name if into is None else into
    job = restore_job(settings, job_name("restore"), name, database, running)
    log = run(here, job)
    done = RESTORED.search(log)
    if done is None:
        raise CommandError(f"Job {job['metadata']['name']} ended without saying what it restored")
    print(done[0])
    if into is None:
        # What a failed release change left; the schema is whole again.
        here.kubectl.run("delete", "configmap", RELEASE_CHANGE, "--ignore-not-found")
        installed_release.record(here, done[1])
        _print_next(here, done[1], running)


def _wait_for_airflow_to_end(here: Target) -> None:
    """Wait for pods that are ending. Raises CommandError while others live."""
    started = time.monotonic()
    while left := installed_release.pods(here):
        names = ", ".join(pod["metadata"]["name"] for pod in left)
        elapsed = time.monotonic() - started
        ending = all("deletionTimestamp" in pod["metadata"] for pod in left)
        if not ending or elapsed > PATIENCE:
            raise CommandError(
                f"Airflow is running in namespace {here.settings.namespace} ({names}) and would "
                "write into the database while it is replaced. Set airflow.stopped: true in "
                f"values/{here.environment}.yaml and run make up ENV={here.environment} first; or "
                "restore beside it, with INTO=<another database>"
            )
        print(f"  {elapsed:4.0f} s  waiting for the end of {names}", file=sys.stderr, flush=True)
        time.sleep(3)


def _check_name(settings: Settings, into: str) -> None:
    if not DATABASE.fullmatch(into) or into.lower() in SYSTEM:
        raise CommandError(f"INTO={into}: not a name for a database of letters, digits and _")
    if into == settings.database.name:
        raise CommandError(
            f"INTO={into} is the environment's own database: leave INTO out to replace its content"
        )


def _make_database(here: Target, into: str) -> None:
    """The database and the user's rights on it. Raises CommandError if it holds something."""
    found = here.kubectl.run(
        "exec", f"{mysql.NAME}-0", "--container=mysql", "--",
        "bash", "-c", MAKE_DATABASE, "bash", into,
    )  # fmt: skip
    if found:
        raise CommandError(
            f"the database {into} is not empty ({found.strip()}): name another one, or drop it"
        )


def _print_next(here: Target, restored: str, running: str) -> None:
    file, up = f"values/{here.environment}.yaml", f"make up ENV={here.environment}"
    if restored == running:
        print(f"next: take airflow.stopped out of {file} and run {up}")
        return
    print(
        f"next: the schema is that of Airflow {restored}; {running} ran last. In {file} raise "
        "database.generation,\n      so that the migrations of the release in airflow.version run, "
        f"take airflow.stopped out, and run {up}"
    )
