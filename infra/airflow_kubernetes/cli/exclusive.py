"""One command at a time changes an environment: the others are refused while it runs.

The command holds a Lease of the namespace
(https://kubernetes.io/docs/concepts/architecture/leases/) and renews it. That of a command that was
killed expires, and the next command takes it over: nobody has to remove it. The Job of a backup or
a restore goes on when its command is killed, so it counts by itself.

A plain `pulumi up` asks no one. There the database protects itself: components wait while it is
marked (database/scripts/restore.sh), and the migration Job has a guard and takes MySQL's lock.
"""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from json import dumps
from threading import Event, Thread
from typing import Any

from ..console import pasteable, say
from ..database.backup import COMPONENT, is_at_work
from ..errors import CommandError
from ..kubectl.client import KubectlError
from ..kubectl.foundation import namespace_of
from ..kubernetes.manifest import Manifest
from . import installed_release
from .target import Target, kubectl_of

LEASE = "airflow-command"
DURATION, RENEWAL = 20.0, 5.0
"""Seconds without renewal after which a Lease has expired, and between renewals."""


@contextmanager
def exclusive(target: Target, command: str) -> Iterator[None]:
    """Refuse other commands meanwhile.

    Raises CommandError, which names what is at work already, and FoundationError if the namespace
    is being deleted.
    Before the first `up` there is neither a namespace nor anything to protect.
    """
    if namespace_of(target.kubectl) is None:
        yield
        return
    holder = f"make {command} on {socket.gethostname()}, process {os.getpid()}"
    _acquire(target, command, holder)
    ended = Event()
    renewal = Thread(target=_renew, args=(target, holder, ended), daemon=True)
    renewal.start()
    try:
        _refuse_jobs(target, command)
        yield
    finally:
        ended.set()
        renewal.join()
        with suppress(KubectlError):  # it expires by itself
            if _held_by(target) == holder:
                target.kubectl.run("delete", "lease", LEASE, "--ignore-not-found")


def _refuse_jobs(target: Target, command: str) -> None:
    """Raises CommandError if a backup is taken or restored."""
    selector = f"--selector={installed_release.COMPONENT}={COMPONENT}"
    for job in target.kubectl.get("jobs", selector):
        if is_at_work(job):
            name, kubectl = job["metadata"]["name"], kubectl_of(target)
            raise CommandError(
                f"make {command} has to wait: {_purpose(job)} by Job {name}, since "
                f"{job['metadata']['creationTimestamp']}. Wait for its end "
                f"({pasteable(f'{kubectl} logs -f job/{name}')}), or end it "
                f"({pasteable(f'{kubectl} delete job {name}')}); nothing was changed"
            )


def _purpose(job: Manifest) -> str:
    _, script, *arguments = job["spec"]["template"]["spec"]["containers"][0]["args"]
    if script.endswith("restore.sh"):
        return f"the backup {arguments[0]} is being restored into the database {arguments[1]}"
    return f"a backup ({arguments[0]}) is being taken"


def _acquire(target: Target, command: str, holder: str) -> None:
    """Create the Lease, or take over an expired one. Raises CommandError if another holds it."""
    spec = {**_times(holder), "leaseDurationSeconds": int(DURATION)}
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": LEASE, "namespace": target.settings.namespace},
        "spec": spec,
    }
    while True:
        try:
            target.kubectl.run("create", "--filename=-", objects=[lease])
            return
        except KubectlError as error:
            if "AlreadyExists" not in str(error):
                raise
        if found := _spec(target):
            _refuse_unless_expired(target, command, found)
            with suppress(KubectlError):  # somebody else was faster
                _replace(target, found, spec)
                say(f"{found['holderIdentity']} was killed: make {command} takes its place")
                return


def _refuse_unless_expired(target: Target, command: str, found: dict[str, Any]) -> None:
    """Raises CommandError if the Lease is fresh by this clock, or renewed while we look.

    The other machine's clock may differ.
    """
    silent = (datetime.now(UTC) - datetime.fromisoformat(found["renewTime"])).total_seconds()
    if not -DURATION < silent < DURATION:
        say(f"{found['holderIdentity']} may have been killed: looking for {DURATION:.0f} s")
        end = time.monotonic() + DURATION
        while time.monotonic() < end:
            if (now := _spec(target)) != found:
                if not now:
                    return
                break
            time.sleep(1)
        else:
            return
    started = datetime.fromisoformat(found["acquireTime"]).strftime("%Y-%m-%d %H:%M:%S UTC")
    delete = pasteable(f"{kubectl_of(target)} delete lease {LEASE}")
    raise CommandError(
        f"make {command} has to wait for {found['holderIdentity']}, which runs in namespace "
        f"{target.settings.namespace} since {started}; nothing was changed. Run it again when that "
        f"has ended. If that was killed, it counts for {DURATION:.0f} s more (or {delete})"
    )


def _renew(target: Target, holder: str, ended: Event) -> None:
    """Renew the Lease until `ended`. Ends this process if another one has taken it over.

    That happens to a machine that was suspended, and where somebody deletes the Lease. SIGTERM,
    because a process in the background may ignore SIGINT. An API server that does not answer
    changes nothing: nobody else gets an answer either.
    """
    while not ended.wait(RENEWAL):
        with suppress(KubectlError):
            own = {"holderIdentity": holder}
            with suppress(KubectlError):
                _replace(target, own, {"renewTime": _now()})
                continue
            if (now := _held_by(target)) != holder and not ended.is_set():
                say(f"{holder} ends: the Lease {LEASE} {f'is that of {now}' if now else 'is gone'}")
                os.kill(os.getpid(), signal.SIGTERM)
                return


def _replace(target: Target, expected: dict[str, Any], new: dict[str, Any]) -> None:
    """Set values of the Lease if it still has the `expected` ones. Raises KubectlError if not."""
    patch = [
        {"op": op, "path": f"/spec/{key}", "value": value}
        for op, values in (("test", expected), ("replace", new))
        for key, value in values.items()
    ]
    target.kubectl.run(
        "patch", "lease", LEASE, "--type=json", f"--patch={dumps(patch)}", "--request-timeout=10s"
    )


def _spec(target: Target) -> dict[str, Any]:
    """The Lease's spec; empty if there is none."""
    for lease in target.kubectl.get("lease", LEASE):
        spec: dict[str, Any] = lease["spec"]
        return spec
    return {}


def _held_by(target: Target) -> str:
    return str(_spec(target).get("holderIdentity", ""))


def _times(holder: str) -> dict[str, Any]:
    now = _now()
    return {"holderIdentity": holder, "acquireTime": now, "renewTime": now}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
