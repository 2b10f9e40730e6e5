"""`make restore`: load a backup into the database, after a backup of what it holds."""

import re

from ..airflow.migrations import RELEASE_CHANGE
from ..console import say
from ..database import mysql
from ..database.backup import KINDS, restore_job
from ..database.rules import OWN_SCHEMAS
from ..errors import CommandError
from ..settings.schema import Settings
from . import installed_release
from .backup import job_name
from .jobs import run_job
from .target import Target

BACKUP = re.compile(rf"\d{{8}}T\d{{6}}Z-({'|'.join(KINDS)})")
DATABASE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
RESTORED = re.compile(r"^restored .* of Airflow (\S+) .*$", re.MULTILINE)

PATIENCE = 300
"""Seconds for terminating pods to end."""

CREATE_DATABASE = r"""
set -eu
sql() { MYSQL_PWD="$MYSQL_ROOT_PASSWORD" mysql --user=root --skip-column-names --execute="$1"; }
sql "CREATE DATABASE IF NOT EXISTS \`$1\` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
tables=$(sql "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '$1'")
if [ "$tables" -gt 0 ]; then echo "$tables tables"; exit; fi
sql "GRANT ALL ON \`${1//_/\\_}\`.* TO '$MYSQL_USER'@'%'"
"""
"""Run in MySQL's pod, the only client as which root may log in. The user gets no right on a
database that holds something; in a GRANT, _ would be a pattern.
"""


def restore(target: Target, source: str, into: str = "") -> None:
    """Load the backup `source` into the environment's database, or into the empty one `into`.

    The content of the environment's own database is backed up first. Raises CommandError for what
    is refused, RolloutError if it fails; the message says how the database was left.
    """
    settings = target.settings
    if not BACKUP.fullmatch(source):
        problem = f"{source!r} is not the name of a backup" if source else "name a backup"
        raise CommandError(
            f"{problem}: make restore FROM=20261122T020000Z-scheduled ENV={target.environment}; "
            f"make backups ENV={target.environment} lists them"
        )
    if into:
        _check_name(settings, into)
        if settings.database.mode == "cluster":
            _create_database(target, into)
    else:
        _wait_for_airflow_to_end(target)
    release = installed_release.release(target) or settings.airflow.version
    database = into or settings.database.name
    job = restore_job(settings, job_name("restore"), source, database, release)
    restored = RESTORED.search(run_job(target, job))
    if restored is None:
        raise CommandError(f"Job {job['metadata']['name']} did not report what it restored")
    print(restored[0])
    if not into:
        # Of a release change that failed; the schema is whole again.
        target.kubectl.run("delete", "configmap", RELEASE_CHANGE, "--ignore-not-found")
        installed_release.record(target, restored[1])
        _print_next(target, restored[1], release)


def _wait_for_airflow_to_end(target: Target) -> None:
    """Wait for terminating pods. Raises CommandError if others run, KubectlError after PATIENCE."""
    while pods := installed_release.pods(target):
        names = [f"pod/{pod['metadata']['name']}" for pod in pods]
        if not all("deletionTimestamp" in pod["metadata"] for pod in pods):
            raise CommandError(
                f"Airflow runs in namespace {target.settings.namespace} ({', '.join(names)}) and "
                "would write into the database while it is replaced. Set airflow.stopped: true in "
                f"values/{target.environment}.yaml and run make up ENV={target.environment} first; "
                "or restore into another database, with INTO=<database>"
            )
        say(f"waiting for the end of {', '.join(names)}")
        target.kubectl.run("wait", "--for=delete", f"--timeout={PATIENCE}s", *names)


def _check_name(settings: Settings, into: str) -> None:
    if not DATABASE.fullmatch(into) or into.lower() in OWN_SCHEMAS:
        raise CommandError(f"INTO={into}: the name of a database has letters, digits and _ only")
    if into == settings.database.name:
        raise CommandError(
            f"INTO={into} is the environment's own database: leave INTO out to replace its content"
        )


def _create_database(target: Target, into: str) -> None:
    """The database, and the user's rights on it. Raises CommandError if it is not empty."""
    content = target.kubectl.run(
        "exec", f"{mysql.NAME}-0", "--container=mysql", "--",
        "bash", "-c", CREATE_DATABASE, "bash", into,
    )  # fmt: skip
    if content:
        raise CommandError(
            f"the database {into} is not empty ({content.strip()}): name another one, or drop it"
        )


def _print_next(target: Target, restored: str, running: str) -> None:
    file, up = f"values/{target.environment}.yaml", f"make up ENV={target.environment}"
    if restored == running:
        print(f"next: remove airflow.stopped from {file} and run {up}")
        return
    print(
        f"next: the schema is that of Airflow {restored}; {running} ran last. In {file} raise "
        "database.generation,\n      so that the migrations of the release in airflow.version run, "
        f"remove airflow.stopped, and run {up}"
    )
