"""`make backup` and `make backups`: dump the metadata database, list and delete dumps."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from ..database.backup import (
    COMPONENT,
    KINDS,
    NAME,
    backup_job,
    check_job,
    delete_job,
    has_ended,
    list_job,
)
from ..errors import CommandError
from ..kubectl.client import KubectlError
from . import installed_release
from .exclusive import exclusive
from .jobs import run_job
from .target import Target

NAMES = rf"\d{{8}}T\d{{6}}Z-(?:{'|'.join(KINDS)})"
COMPLETE = re.compile(rf"^backup ({NAMES}): complete", re.MULTILINE)
FREE = re.compile(r"^free on the volume of the backups: (.*)$", re.MULTILINE)
SCHEMA = re.compile(r"^schema: (.*)$", re.MULTILINE)
TABLE = "{:34} {:14} {:>8} {:>7} {:>11} {:>11}  {:12} {:>9}"


@dataclass(frozen=True)
class Taken:
    """A backup: its name, and its schema's revisions as the release guard writes them."""

    name: str
    heads: str


def backup(target: Target) -> None:
    """Take a manual backup and print its name."""
    print(take(target, "manual").name)


def backups(target: Target, delete: str = "") -> None:
    """Print the complete backups in the order in which they were taken, and what is free.

    With `delete`, names separated by spaces, delete these. Raises CommandError.
    """
    if delete:
        _delete(target, delete.split())
        return
    log = run_job(target, list_job(target.settings, job_name("list")), quiet=True)
    *rows, (free, size) = [line.split("\t") for line in log.splitlines()]
    if not rows:
        print(f"no backup yet: make backup ENV={target.environment}")
    else:
        print(TABLE.format("NAME", "KIND", "RELEASE", "TABLES", "ROWS", "SIZE", "SHA256", "AGE"))
    for name, release, tables, count, nbytes, sha256, created in rows:
        kind = name.partition("-")[2]
        print(
            TABLE.format(
                name, kind, release, tables, count, _size(int(nbytes)), sha256[:12], age(created)
            )
        )
    print(f"free on the volume: {_size(int(free))} of {_size(int(size))}")


def last_scheduled(target: Target) -> str:
    """The last scheduled backup in words: its name, its age, what it left free on the volume.

    From the Jobs that Kubernetes keeps, so it costs no pod.
    """
    selector = f"--selector={installed_release.COMPONENT}={COMPONENT}"
    jobs = [
        job
        for job in target.kubectl.get("jobs", selector)
        if has_ended(job) and "ownerReferences" in job["metadata"]
    ]
    if not jobs:
        return "none by schedule yet"
    job = max(jobs, key=lambda job: str(job["metadata"]["creationTimestamp"]))
    name, made = job["metadata"]["name"], age(job["metadata"]["creationTimestamp"])
    try:
        log = target.kubectl.run("logs", f"job/{name}", "--tail=-1")
    except KubectlError:  # its pod may be gone
        log = ""
    if not job["status"].get("succeeded"):
        lines = log.splitlines() or [f"see job/{name}"]
        return f"the last scheduled one failed {made} ago: {lines[-1]}"
    complete, free = COMPLETE.search(log), FREE.search(log)
    return (
        f"{complete[1] if complete else f'job/{name}'}, {made} ago"
        f"{f'; {free[1]} free on the volume' if free else ''}"
    )


def _delete(target: Target, names: list[str]) -> None:
    """Raises CommandError for what is not a backup's name, or is the way back of an upgrade."""
    change = installed_release.release_change(target)
    for name in names:
        if not re.fullmatch(NAMES, name):
            raise CommandError(
                f"{name!r} is not the name of a backup: make backups ENV={target.environment} "
                "lists them; nothing was deleted"
            )
        if name == change.get("backup"):
            raise CommandError(
                f"{name} holds the database as it was before a release change that has not ended; "
                "nothing was deleted"
            )
    with exclusive(target, "backups DELETE"):
        run_job(target, delete_job(target.settings, job_name("delete"), names))


def age(time: str) -> str:
    """How long ago an RFC 3339 time was, as "3 h" or "12 min"."""
    minutes = (datetime.now(UTC) - datetime.fromisoformat(time)).total_seconds() / 60
    if minutes < 90:
        return f"{max(minutes, 0):.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 72 * 60 else f"{minutes / 1440:.0f} days"


def _size(size: int) -> str:
    for unit, name in ((2**30, "GiB"), (2**20, "MiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size / 2**10:.1f} KiB"


def check(target: Target) -> None:
    """Prove that a backup can be taken: the pod starts, the database answers, the volume has space.

    Raises CommandError, RolloutError.
    """
    run_job(target, check_job(target.settings, job_name("check")))


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
