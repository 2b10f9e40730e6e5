"""Rule about the Secrets that the values name: none may be one that this program makes."""

from collections.abc import Iterator

from ..kubernetes.pull_secret import PULL_SECRET
from ..secrets import ADMIN_SECRET, CELERY_SECRET, KEYS_SECRET, MYSQL_SECRET
from ..settings.problems import Fault
from ..settings.schema import Settings
from ..settings.sections import named

OWN = (ADMIN_SECRET, CELERY_SECRET, KEYS_SECRET, MYSQL_SECRET, PULL_SECRET)


def problems(settings: Settings) -> Iterator[Fault]:
    """Path and message of every Secret of the user's that has the name of one of the program's.

    Both would be one object, with the values that are written first; and in a volume, tasks
    would read keys that they do not get otherwise.
    """
    for path, kind, name in named(settings):
        if kind == "Secret" and name in OWN:
            yield path, f"{name} is a Secret that this program makes; use one of another name"
