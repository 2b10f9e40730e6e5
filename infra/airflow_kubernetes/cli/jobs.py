"""Jobs that a command runs: it waits for them and reads their log."""

from collections.abc import Iterator
from contextlib import contextmanager

from ..console import Stopwatch, pasteable, say
from ..database.backup import DEADLINE, NAME, has_ended, has_started
from ..errors import CommandError
from ..kubectl.client import KubectlError
from ..kubectl.wait import RolloutError, wait
from ..kubernetes.manifest import Manifest
from .target import Target, kubectl_of

START, LOOK = 600.0, 5.0
"""Seconds within which a Job's pod must start: a new node pulls the image first; and how often what
prevents it is looked for."""


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
