"""The Job that migrates the metadata database to the release's schema."""

from collections.abc import Iterator

from ..kubernetes.env import optional_env
from ..kubernetes.manifest import Manifest
from ..kubernetes.pod import Parts
from ..kubernetes.rbac import ServiceAccount
from ..settings.schema import Settings
from .credentials import credentials_env
from .image_scripts import script_container, wait_for_migrations
from .job import airflow_job
from .pod import airflow_container
from .releases import DATABASE, FERNET

MIGRATIONS = "migrations"
RELEASE_RECORD = "airflow-release"
"""The ConfigMap with the `release` that is installed. While it exists, an empty database is
refused; who deletes it begins again without the data."""

RELEASE_CHANGE = "airflow-release-change"
"""The ConfigMap that allows a release change; `heads` are those of the database in the backup."""


def migrations_manifests(settings: Settings, image: str) -> Iterator[Manifest]:
    """`airflow db migrate` and its service account.

    It waits for the server. A guard refuses to change the release without a backup: `make upgrade`
    takes one and writes the ConfigMap that the guard reads. It also refuses an empty database where
    a release is installed.
    """
    account = ServiceAccount(MIGRATIONS, values=settings.airflow.jobs.service_account)
    container = airflow_container(
        settings,
        MIGRATIONS,
        image,
        settings.airflow.jobs.resources,
        ("airflow", "db", "migrate"),
        (DATABASE, FERNET),
    )
    guard = script_container(
        "guard_release",
        image,
        env=(
            *credentials_env(settings, [DATABASE]),
            *(
                optional_env(f"RELEASE_CHANGE_{key.upper()}", RELEASE_CHANGE, key)
                for key in ("heads", "from", "backup")
            ),
            optional_env("INSTALLED_RELEASE", RELEASE_RECORD, "release"),
        ),
    )
    parts = wait_for_migrations(settings, image, "--database-only") + Parts(init=(guard,))
    yield from account.manifests(settings.namespace)
    # No retries: MySQL cannot undo half of a migration, so a person has to look first.
    yield airflow_job(settings, account, container, parts, retries=0)
