"""The Airflow release in the cluster, which may differ from that in the values."""

from ..airflow.migrations import MIGRATIONS, RELEASE_CHANGE, RELEASE_RECORD
from ..kubectl.client import OWNED
from ..kubernetes.manifest import Manifest, manifest
from .target import Target

VERSION = "app.kubernetes.io/version"
COMPONENT = "app.kubernetes.io/component"
AIRFLOW = "--selector=app.kubernetes.io/name=airflow"
NOT_AIRFLOW = "mysql,redis,backup"
"""Components that run while Airflow is stopped: they write nothing into its database."""


def release(target: Target) -> str | None:
    """The release of the database's schema; None before the first `up`.

    A release change that has begun records it; otherwise it is that of the last migration that
    succeeded. While Airflow is stopped or down, without Jobs, it is the one on record.
    """
    return release_change(target).get("from") or migrated(target) or recorded(target)


def recorded(target: Target) -> str | None:
    """The release on record: of the last `up` whose migration succeeded, or the last restore."""
    for obj in target.kubectl.get("configmap", RELEASE_RECORD):
        release: str | None = obj.get("data", {}).get("release")
        return release
    return None


def record(target: Target, release: str) -> None:
    """Record the database's release, for the migration Job's guard too; outlives `make down`."""
    obj = manifest(
        "v1",
        "ConfigMap",
        RELEASE_RECORD,
        target.settings.namespace,
        "release",
        protected=True,
        data={"release": release},
    )
    target.kubectl.run("apply", *OWNED, "--filename=-", objects=[obj])


def release_change(target: Target) -> dict[str, str]:
    """The record of a release change that has not ended; empty if there is none.

    `from` is the old release. Once there is a `backup`, the migration may have begun. A change that
    was allowed manually (docs/upgrade.md) has only `heads`.
    """
    for obj in target.kubectl.get("configmap", RELEASE_CHANGE):
        change: dict[str, str] = obj.get("data", {})
        # The command that waited for the migration may have been interrupted.
        ended = "from" in change and migrated(target) not in (None, change["from"])
        return {} if ended else change
    return {}


def migrated(target: Target) -> str | None:
    """The release of the last migration that succeeded; None while Airflow is stopped."""
    jobs = target.kubectl.get("jobs", f"--selector={COMPONENT}={MIGRATIONS}")
    done = [job for job in jobs if "completionTime" in job["status"]]
    if not done:
        return None
    last = max(done, key=lambda job: str(job["status"]["completionTime"]))
    return str(last["spec"]["template"]["metadata"]["labels"][VERSION])


def pods(target: Target) -> list[Manifest]:
    """Airflow's pods that have not ended and may write into the database."""
    not_ended = "--field-selector=status.phase!=Succeeded,status.phase!=Failed"
    return target.kubectl.get("pods", f"{AIRFLOW},{COMPONENT} notin ({NOT_AIRFLOW})", not_ended)


def component(obj: Manifest) -> str:
    """An object's component, such as "scheduler", "worker-default" or "task"."""
    return str(obj["metadata"]["labels"][COMPONENT])
