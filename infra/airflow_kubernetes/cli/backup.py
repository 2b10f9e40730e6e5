"""`make backup` and `make backups`: dump the metadata database to a volume; list the dumps."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from ..console import Stopwatch, say
from ..database.backup import KINDS, NAME, backup_job, list_job
from ..errors import CommandError
from ..kubectl.client import KubectlError
from ..kubectl.wait import wait
from ..kubernetes.manifest import Manifest
from . import installed_release
from .target import Target

TIMEOUT = 6 * 3600.0
"""Seconds that a Job may take; a large database is dumped at some megabytes a second."""

COMPLETE = re.compile(rf"^backup (\d{{8}}T\d{{6}}Z-({'|'.join(KINDS)})): complete", re.MULTILINE)
SCHEMA = re.compile(r"^schema: (.*)$", re.MULTILINE)
TABLE = "{:34} {:14} {:>8} {:>7} {:>11} {:>11}  {:12}"


@dataclass(frozen=True)
class Taken:
    """A backup: its name, and its schema's revisions as the release guard writes them."""

    name: str
    heads: str


def backup(target: Target) -> None:
    """Take a manual backup and print its name."""
    print(take(target, "manual").name)


def backups(target: Target) -> None:
    """Print the complete backups on the volume, oldest first."""
    log = run_job(target, list_job(target.settings, job_name("list")), quiet=True)
    rows = [line.split("\t") for line in log.splitlines()]
    if not rows:
        print(f"no backup yet: make backup ENV={target.environment}")
        return
    print(TABLE.format("NAME", "KIND", "RELEASE", "TABLES", "ROWS", "SIZE", "SHA256"))
    for name, release, tables, count, size, sha256 in rows:
        kind = name.partition("-")[2]
        print(TABLE.format(name, kind, release, tables, count, _size(int(size)), sha256[:12]))


def _size(size: int) -> str:
    return f"{size / 2**20:.1f} MiB" if size >= 2**20 else f"{size / 2**10:.1f} KiB"


def take(target: Target, kind: str) -> Taken:
    """Take a backup of a `kind` (database.backup.KINDS) and wait for it.

    Raises CommandError before the first `up`, RolloutError with the log if the backup fails; a
    failed backup leaves no files.
    """
    job = backup_job(
        target.settings,
        job_name(kind),
        kind,
        installed_release.release(target) or target.settings.airflow.version,
    )
    log = run_job(target, job)
    complete, schema = COMPLETE.search(log), SCHEMA.search(log)
    if complete is None or schema is None:
        raise CommandError(
            f"Job {job['metadata']['name']} did not report its backup: the scripts in the cluster "
            f"are of another checkout. Run make up ENV={target.environment} first"
        )
    return Taken(complete[1], schema[1])


def job_name(purpose: str) -> str:
    """A new name for a Job."""
    return f"{NAME}-{purpose}-{datetime.now(UTC):%Y%m%dt%H%M%S%f}"[:63]


def run_job(target: Target, job: Manifest, *, quiet: bool = False) -> str:
    """Create a Job, wait for it, return its log; prints the log as it grows unless `quiet`.

    Raises CommandError if the environment is not up, RolloutError if the Job fails.
    """
    if not target.kubectl.get("configmap", NAME):
        raise CommandError(
            f"namespace {target.settings.namespace} has no ConfigMap {NAME}: run make up "
            f"ENV={target.environment} first"
        )
    name, stopwatch, lines = job["metadata"]["name"], Stopwatch(), list[str]()

    def follow() -> None:
        log = target.kubectl.run("logs", f"--selector=job-name={name}", "--tail=-1").splitlines()
        for line in [] if quiet else log[len(lines) :]:
            say(f"  {stopwatch.seconds:4.0f} s  {line}")
        lines[:] = log

    def meanwhile() -> None:
        with suppress(KubectlError):  # there is no log before the container starts
            follow()

    target.kubectl.run("create", "--filename=-", objects=[job])
    wait(target.kubectl, [job], TIMEOUT, meanwhile)
    follow()
    # Even an ended pod prevents the claim's deletion. A failed one stays, for its log.
    target.kubectl.run("delete", "job", name, "--wait=false")
    return "\n".join(lines)
