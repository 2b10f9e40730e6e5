"""What of Airflow is in the cluster now, whatever the values say."""

from ..airflow.migrations import MIGRATIONS, RELEASE_CHANGE
from ..kubernetes.manifest import Manifest
from .target import Target

RELEASE = "airflow-kubernetes/release"
"""Annotation of the namespace: the release whose schema the database has."""

VERSION = "app.kubernetes.io/version"
COMPONENT = "app.kubernetes.io/component"
OURS = "--selector=app.kubernetes.io/name=airflow"
AT_REST = ("mysql", "redis", "backup")
"""Components that live on while Airflow is stopped; they write nothing into the database."""


def release(here: Target) -> str | None:
    """The release whose schema the database has; None before the first `up`.

    A release change that has begun notes it; else the last migration tells that succeeded. While
    Airflow is stopped or down, which removes the Jobs, the namespace has the record.
    """
    if known := release_change(here).get("from") or _migrated(here):
        return known
    for namespace in here.kubectl.get("namespace", here.settings.namespace):
        recorded: str | None = namespace["metadata"].get("annotations", {}).get(RELEASE)
        return recorded
    return None


def record(here: Target, release: str) -> None:
    """Note the database's release on the namespace, which outlives `make down`."""
    name = here.settings.namespace
    here.kubectl.run("annotate", "namespace", name, f"{RELEASE}={release}", "--overwrite")


def release_change(here: Target) -> dict[str, str]:
    """What a release change that did not end has noted; empty if there is none.

    `from` is the old release. Once there is a `backup`, the migration may have begun. One that was
    allowed by hand (docs/upgrade.md) has `heads` alone.
    """
    for obj in here.kubectl.get("configmap", RELEASE_CHANGE):
        return unfinished(obj.get("data", {}), _migrated(here))
    return {}


def unfinished(noted: dict[str, str], migrated: str | None) -> dict[str, str]:
    """The note of a release change, unless it was carried out: nothing, then.

    Whoever waited for it may have been interrupted; with the migration the change is made.
    """
    done = "from" in noted and migrated not in (None, noted["from"])
    return {} if done else dict(noted)


def _migrated(here: Target) -> str | None:
    jobs = here.kubectl.get("jobs", f"--selector={COMPONENT}={MIGRATIONS}")
    return last_migration(jobs)


def last_migration(jobs: list[Manifest]) -> str | None:
    """The release of the last migration that succeeded; None while Airflow is stopped."""
    done = [job for job in jobs if "completionTime" in job["status"]]
    if not done:
        return None
    last = max(done, key=lambda job: str(job["status"]["completionTime"]))
    return str(last["spec"]["template"]["metadata"]["labels"][VERSION])


def pods(here: Target) -> list[Manifest]:
    """Airflow's pods that have not ended and may write into the database."""
    return [
        pod
        for pod in here.kubectl.get("pods", OURS)
        if component(pod) not in AT_REST
        and pod["status"].get("phase") not in ("Succeeded", "Failed")
    ]


def component(obj: Manifest) -> str:
    """An object's component: "scheduler", "worker-default", "task" …"""
    return str(obj["metadata"]["labels"][COMPONENT])
