"""Rule about the Secrets that the values name: none may be one that this program makes."""

from collections.abc import Iterator

from ..kubernetes.pull_secret import PULL_SECRET
from ..secrets import ADMIN_SECRET, CELERY_SECRET, KEYS_SECRET, MYSQL_SECRET
from ..settings.problems import Fault, Path
from ..settings.schema import Settings

OWN = (ADMIN_SECRET, CELERY_SECRET, KEYS_SECRET, MYSQL_SECRET, PULL_SECRET)


def problems(settings: Settings) -> Iterator[Fault]:
    """Path and message of every Secret of the user's that has the name of one of the program's.

    Both would be one object, with the values that are written first; and in a volume, tasks
    would read keys that they do not get otherwise.
    """
    named: dict[Path, str | None] = {
        ("airflow", "dags", "git", "secret"): settings.airflow.dags.git.secret,
        ("airflow", "keda", "secret"): settings.airflow.keda.secret,
        ("broker", "external", "secret"): settings.broker.external.secret,
        ("database", "external", "secret"): settings.database.external.secret,
        ("images", "pullSecret"): settings.images.pull_secret,
    }
    for source, repository in settings.airflow.dags.repositories.items():
        named["airflow", "dags", "repositories", source, "secret"] = repository.secret
    for index, volume in enumerate(settings.airflow.tasks.volumes):
        named["airflow", "tasks", "volumes", index, "secret"] = volume.secret
    for path, name in named.items():
        if name in OWN:
            yield path, f"{name} is a Secret that this program makes; use one of another name"
