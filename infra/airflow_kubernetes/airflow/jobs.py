"""The Jobs of a release: migrating the database, creating the first user.

A Job is named by a hash of what it runs: an unchanged one is left alone, a changed one is a new
object (a Job's template cannot be changed). They have no TTL: an expired Job would look missing
and be run again by the next update.
"""

from collections.abc import Iterator
from typing import Any

from ..kubernetes.manifest import Manifest, manifest
from ..kubernetes.pods import IGNORE_DISRUPTION, checksum, secret_env
from ..kubernetes.rbac import account
from ..secrets import ADMIN_SECRET
from ..settings.schema import Settings
from . import pods
from .configuration import UPDATE_ROLES
from .releases import DATABASE, FERNET, RELEASES

MIGRATIONS, CREATE_ADMIN = "migrations", "create-admin"
RELEASE_CHANGE = "airflow-release-change"
"""The ConfigMap that allows a release change; `heads` are those of the database in the backup."""


def objects(settings: Settings, image: str) -> Iterator[Manifest]:
    """Both Jobs and their accounts; none while Airflow is stopped."""
    if settings.airflow.stopped:
        return
    for component in (MIGRATIONS, CREATE_ADMIN):
        yield account(settings.namespace, component)
    yield migrations(settings, image)
    yield create_admin(settings, image)


def migrations(settings: Settings, image: str) -> Manifest:
    """`airflow db migrate`, once the server answers and unless it would change the release.

    That is refused without a backup: `make upgrade` writes the ConfigMap that the guard reads.
    """
    container = pods.container(
        settings, image, MIGRATIONS, ["airflow", "db", "migrate"],
        [DATABASE, FERNET], settings.airflow.jobs.resources,
    )  # fmt: skip
    wait = pods.wait(settings, image, "--database-only")
    args = ("python", f"{pods.CHECKS}/guard_release.py")
    guard = pods.container(settings, image, "guard-release", args, [DATABASE], pods.SMALL)
    guard["env"] += [
        {
            "name": f"RELEASE_CHANGE_{key.upper()}",
            "valueFrom": {
                "configMapKeyRef": {"name": RELEASE_CHANGE, "key": key, "optional": True}
            },
        }
        for key in ("heads", "from", "backup")
    ]
    # No second try: MySQL cannot undo half of a migration, so a person has to look first.
    return _job(settings, MIGRATIONS, container, [wait, guard], backoff=0)


def create_admin(settings: Settings, image: str) -> Manifest:
    """`airflow users create`: leaves an existing user as it is; the release's roles before it."""
    admin = settings.airflow.admin
    create: tuple[str, ...] = (
        "airflow", "users", "create", "--role", "Admin",
        "--username", admin.username, "--password", "$(ADMIN_PASSWORD)",
        "--email", admin.email,
        "--firstname", admin.first_name, "--lastname", admin.last_name,
    )  # fmt: skip
    roles = RELEASES[settings.airflow.version].write_roles
    if roles:
        create = ("sh", "-c", f'{" ".join(roles)} && exec "$@"', "sh", *create)
    container = pods.container(
        settings, image, CREATE_ADMIN, create, [DATABASE, FERNET], settings.airflow.jobs.resources
    )
    container["env"] += [
        secret_env("ADMIN_PASSWORD", ADMIN_SECRET, "password"),
        {"name": UPDATE_ROLES, "value": "True"},
    ]
    return _job(settings, CREATE_ADMIN, container, [pods.wait(settings, image)], backoff=3)


def _job(
    settings: Settings,
    component: str,
    container: dict[str, Any],
    init: list[dict[str, Any]],
    *,
    backoff: int,
) -> Manifest:
    pod = pods.spec(settings, component, [container], init=init, keep_logs=False)
    template = {
        # Without the checksums of long-running pods: other configuration is no reason to run again.
        "metadata": {"labels": pods.labels(settings, component)},
        "spec": pod | {"restartPolicy": "Never"},
    }
    job = manifest(
        "batch/v1",
        "Job",
        f"airflow-{component}",
        settings.namespace,
        component,
        # A failed Job is run again by the next `pulumi up` instead of blocking it for ever.
        annotations={"pulumi.com/replaceUnready": "true"},
        spec={
            "backoffLimit": backoff,
            "podFailurePolicy": IGNORE_DISRUPTION,
            "template": template,
        },
    )
    job["metadata"]["name"] += f"-{checksum(job, settings.database.generation)[:8]}"
    return job
