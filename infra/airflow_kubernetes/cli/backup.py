"""`make backup` and `make backups`: dump the metadata database, list and delete dumps."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from ..console import Stopwatch, pasteable, say
from ..database.backup import (
    COMPONENT,
    DEADLINE,
    KINDS,
    NAME,
    backup_job,
    check_job,
    delete_job,
    has_ended,
    has_started,
    list_job,
)
from ..errors import CommandError
from ..kubectl.client import KubectlError
from ..kubectl.wait import RolloutError, wait
from ..kubernetes.manifest import Manifest
from . import installed_release
from .exclusive import exclusive
from .target import Target, kubectl_of

START, LOOK = 600.0, 5.0
"""Seconds within which a Job's pod must start: a new node pulls the image first; and how often what
prevents it is looked for."""

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
    looked = 0.0

    def follow() -> None:
        log = target.kubectl.run("logs", f"--selector=job-name={name}", "--tail=-1").splitlines()
        # After an eviction the log is another pod's.
        known = len(lines) if log[: len(lines)] == lines else 0
        for line in [] if quiet else log[known:]:
            say(f"  {stopwatch.seconds:4.0f} s  {line}")
        lines[:] = log

    def meanwhile() -> None:
        nonlocal looked
        try:
            follow()
        except KubectlError:  # there is no log before the container starts
            lines.clear()
        if not lines and stopwatch.seconds - looked > LOOK:
            looked = stopwatch.seconds
            _check_that_it_starts(target, name, looked)

    target.kubectl.run("create", "--filename=-", objects=[job])
    with _given_up_on_failure(target, name):
        wait(target.kubectl, [job], DEADLINE, meanwhile)
    follow()
    # Even an ended pod prevents the claim's deletion. A failed one stays, for its log.
    target.kubectl.run("delete", "job", name, "--wait=false")
    return "\n".join(lines)


def _check_that_it_starts(target: Target, job: str, seconds: float) -> None:
    """Raises RolloutError if no pod may be made for the Job, or none has started after START."""
    events = [
        line
        for line in target.kubectl.run(
            "get", "events", "--sort-by=.lastTimestamp", "--no-headers",
            "--output=custom-columns=OBJECT:.involvedObject.name,REASON:.reason,MESSAGE:.message",
        ).splitlines()
        if line.startswith(job)
    ]  # fmt: skip
    refused = [line for line in events if line.split()[1] == "FailedCreate"]
    made = target.kubectl.get("pods", f"--selector=job-name={job}")
    if refused and not made:
        raise RolloutError(f"Job {job}: no pod may be made: {refused[-1].split(maxsplit=2)[2]}")
    if seconds > START and all(pod["status"]["phase"] == "Pending" for pod in made):
        raise RolloutError(
            "\n".join([f"Job {job} has not started after {seconds:.0f} s:", *events[-5:]])
        )


@contextmanager
def _given_up_on_failure(target: Target, name: str) -> Iterator[None]:
    """Delete a Job that failed to start: it would begin once its obstacle is gone, unobserved."""
    try:
        yield
    except RolloutError:
        for job in target.kubectl.get("job", name):
            if not has_started(job) and not has_ended(job):
                target.kubectl.run("delete", "job", name, "--wait=false")
        raise
    except KeyboardInterrupt:
        kubectl = kubectl_of(target)
        say(
            f"\nJob {name} continues in the cluster: {pasteable(f'{kubectl} logs -f job/{name}')}"
            f"\nTo end it: {pasteable(f'{kubectl} delete job {name}')}"
        )
        raise
