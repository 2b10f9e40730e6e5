"""What of Airflow is in the cluster now, whatever the values say."""

from ..airflow.jobs import MIGRATIONS, RELEASE_CHANGE
from ..kubernetes.metadata import Manifest
from .target import Target

VERSION = "app.kubernetes.io/version"
COMPONENT = "app.kubernetes.io/component"
OURS = "--selector=app.kubernetes.io/name=airflow"
AT_REST = ("mysql", "redis", "backup")
"""Components that live on while Airflow is stopped; they write nothing into the database."""


def release(here: Target) -> str | None:
    """The release whose schema the database has; None before the first `up` and after `down`.

    A release change that has begun notes it. Else the last migration tells that succeeded, and
    while Airflow is stopped, which removes the Jobs, the scheduler's Deployment.
    """
    if known := release_change(here).get("from") or _migrated(here):
        return known
    for deployment in here.kubectl.get("deployments", f"--selector={COMPONENT}=scheduler"):
        return _version(deployment)
    return None


def release_change(here: Target) -> dict[str, str]:
    """What a release change that did not end has noted; empty if there is none.

    `from` is the old release. Once there is a `backup`, the migration may have begun. One that was
    allowed by hand (docs/upgrade.md) has `heads` alone.
    """
    for obj in here.kubectl.get("configmap", RELEASE_CHANGE):
        noted = dict(obj["data"])
        # Whoever waited for it may have been interrupted: with the migration the change is made.
        return {} if "from" in noted and _migrated(here) not in (None, noted["from"]) else noted
    return {}


def _migrated(here: Target) -> str | None:
    """The release of the last migration that succeeded; None while Airflow is stopped."""
    jobs = [
        job
        for job in here.kubectl.get("jobs", f"--selector={COMPONENT}={MIGRATIONS}")
        if "completionTime" in job["status"]
    ]
    if not jobs:
        return None
    return _version(max(jobs, key=lambda job: str(job["status"]["completionTime"])))


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


def _version(workload: Manifest) -> str:
    return str(workload["spec"]["template"]["metadata"]["labels"][VERSION])
