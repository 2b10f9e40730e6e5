"""The credentials of a component as environment variables, from the names in the releases table."""

from collections.abc import Iterable

from ..broker import connection as broker
from ..database import connection as database
from ..kubernetes.env import EnvVar
from ..secrets import KEYS_SECRET, value_env
from ..settings.schema import Settings
from .releases import BROKER, DATABASE, RELEASES, RESULTS


def credentials_env(settings: Settings, names: Iterable[str]) -> tuple[EnvVar, ...]:
    """The variables of the named credentials and those that they refer to, each once.

    Celery's results are in the metadata database, so two URLs may refer to the same password.
    """
    variables = [item for name in names for item in _variables(settings, name)]
    return tuple({item["name"]: item for item in variables}.values())


def _variables(settings: Settings, name: str) -> tuple[EnvVar, ...]:
    release = RELEASES[settings.airflow.version]
    variable = release.secrets[name]
    if name == DATABASE:
        url = database.url_env(settings, variable)
        if release.async_database is None:
            return url
        return url + database.url_env(settings, release.async_database, "mysql+aiomysql")
    if name == RESULTS:
        return database.url_env(settings, variable, "db+mysql+mysqldb")
    if name == BROKER:
        return broker.url_env(settings, variable)
    return (value_env(settings, variable, KEYS_SECRET, name),)
