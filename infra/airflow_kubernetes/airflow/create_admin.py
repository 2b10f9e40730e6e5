"""The Job that creates the first user."""

from collections.abc import Iterator

from ..kubernetes.manifest import Manifest
from ..kubernetes.rbac import ServiceAccount
from ..secrets import ADMIN_PASSWORD, ADMIN_SECRET, value_env
from ..settings.schema import Settings
from .configuration import UPDATE_ROLES
from .image_scripts import wait_for_migrations
from .job import airflow_job
from .pod import airflow_container
from .releases import DATABASE, FERNET, RELEASES


def create_admin_manifests(settings: Settings, image: str) -> Iterator[Manifest]:
    """`airflow users create` and its service account. An existing user is left unchanged.

    The password is typed, so to speak: arguments can be read by every process of the node.
    """
    account = ServiceAccount("create-admin", values=settings.airflow.jobs.service_account)
    container = airflow_container(
        settings,
        account.component,
        image,
        settings.airflow.jobs.resources,
        _command(settings),
        (DATABASE, FERNET),
        env=(
            value_env(settings, "ADMIN_PASSWORD", ADMIN_SECRET, ADMIN_PASSWORD),
            {"name": UPDATE_ROLES, "value": "True"},
        ),
    )
    parts = wait_for_migrations(settings, image)
    yield from account.manifests(settings.namespace)
    yield airflow_job(settings, account, container, parts, retries=3)


def _command(settings: Settings) -> tuple[str, ...]:
    """The command, after the one that writes the release's roles, where that is separate.

    The password is typed twice. printf is the shell's own, so it is no process with arguments.
    """
    admin = settings.airflow.admin
    create = (
        "airflow", "users", "create", "--role", "Admin",
        "--username", admin.username, "--email", admin.email,
        "--firstname", admin.first_name, "--lastname", admin.last_name,
    )  # fmt: skip
    roles = RELEASES[settings.airflow.version].write_roles
    first = f"{' '.join(roles)} && " if roles else ""
    typed = 'printf "%s\\n%s\\n" "$ADMIN_PASSWORD" "$ADMIN_PASSWORD"'
    return ("sh", "-c", f'{first}{typed} | "$@"', "sh", *create)
