"""`make backup` and `make backups`: dumps of the metadata database, taken and listed by Jobs."""

import re
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from ..database.backup import KINDS, NAME, backup_job, list_job
from ..errors import CommandError
from ..kubectl.apply import wait
from ..kubectl.client import KubectlError
from ..kubernetes.manifest import Manifest
from . import installed_release
from .target import Target

TIMEOUT = 6 * 3600.0
"""Seconds that a Job may take; a large database is dumped at some megabytes a second."""

COMPLETE = re.compile(rf"^backup (\d{{8}}T\d{{6}}Z-({'|'.join(KINDS)})): complete", re.MULTILINE)
SCHEMA = re.compile(r"^schema: (.*)$", re.MULTILINE)
TABLE = "{:34} {:14} {:>8} {:>7} {:>11} {:>11}  {:12}"


def backup(here: Target) -> None:
    """Take a manual backup and print its name. Raises CommandError, RolloutError."""
    here.kubectl.reach()
    print(take(here, "manual").name)


@dataclass(frozen=True)
class Taken:
    """A backup: its name and the schema's revisions in it, as the release guard writes them."""

    name: str
    heads: str


def take(here: Target, kind: str) -> Taken:
    """Take a backup of a `kind` (database.backup.KINDS) and wait for it.

    Raises CommandError before the first `up`, RolloutError with the log if the backup fails: then
    nothing of it is kept.
    """
    job = backup_job(
        here.settings,
        job_name(kind),
        kind,
        installed_release.release(here) or here.settings.airflow.version,
    )
    log = run(here, job)
    found, schema = COMPLETE.search(log), SCHEMA.search(log)
    if found is None or schema is None:
        raise CommandError(
            f"Job {job['metadata']['name']} ended without telling what is asked: the scripts "
            f"in the cluster are of another checkout. Run make up ENV={here.environment} first"
        )
    return Taken(found[1], schema[1])


def backups(here: Target) -> None:
    """Print the complete backups on the volume, oldest first."""
    here.kubectl.reach()
    job = list_job(here.settings, job_name("list"))
    log = run(here, job, quiet=True)
    rows = [line.split("\t") for line in log.splitlines()]
    if not rows:
        print(f"no backup yet: make backup ENV={here.environment}")
        return
    print(TABLE.format("NAME", "KIND", "RELEASE", "TABLES", "ROWS", "SIZE", "SHA256"))
    for name, release, tables, count, size, sha256 in rows:
        kind = name.partition("-")[2]
        print(TABLE.format(name, kind, release, tables, count, _size(int(size)), sha256[:12]))


def _size(size: int) -> str:
    return f"{size / 2**20:.1f} MiB" if size >= 2**20 else f"{size / 2**10:.1f} KiB"


def job_name(what: str) -> str:
    """A new name for a Job that does `what`."""
    return f"{NAME}-{what}-{datetime.now(UTC):%Y%m%dt%H%M%S%f}"[:63]


def run(here: Target, job: Manifest, *, quiet: bool = False) -> str:
    """Create a Job, wait for it and give its log, which is also printed as it grows.

    Raises CommandError if the environment is not up, RolloutError if the Job fails.
    """
    if not here.kubectl.get("configmap", NAME):
        raise CommandError(
            f"namespace {here.settings.namespace} has no ConfigMap {NAME}: run make up "
            f"ENV={here.environment} first"
        )
    name, started = job["metadata"]["name"], time.monotonic()
    printed = 0

    def log() -> str:
        return here.kubectl.run("logs", f"--selector=job-name={name}", "--tail=-1")

    def follow() -> None:
        nonlocal printed
        lines: list[str] = []
        with suppress(KubectlError):  # there is no log before the container starts
            lines = [] if quiet else log().splitlines()
        for line in lines[printed:]:
            print(f"  {time.monotonic() - started:4.0f} s  {line}", file=sys.stderr, flush=True)
        printed = max(printed, len(lines))

    here.kubectl.run("create", "--filename=-", objects=[job])
    wait(here.kubectl, [job], TIMEOUT, follow)
    follow()
    text = log()
    # Even an ended pod holds the claim: nobody could delete it. One that failed stays, to be read.
    here.kubectl.run("delete", "job", name, "--wait=false")
    return text
