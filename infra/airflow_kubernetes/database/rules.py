"""Cross-field rules about the metadata database."""

from collections.abc import Iterator

from ..settings import cron
from ..settings.problems import Fault
from ..settings.quantities import amount
from ..settings.schema import Settings
from .mysql import bytes_of


def problems(settings: Settings) -> Iterator[Fault]:
    """Path and message of every contradiction."""
    database = settings.database
    if database.user == "root":
        yield ("database", "user"), "MySQL's image creates root itself; use another name"
    schedule = database.backup.schedule
    if schedule is not None and not cron.is_schedule(schedule):
        yield ("database", "backup", "schedule"), f"{schedule!r} is no schedule: {cron.FORM}"
    if database.mode == "external":
        for key, value in (("host", database.external.host), ("secret", database.external.secret)):
            if value is None:
                yield ("database", "external", key), "database.mode is external: set this"
        return
    cluster = database.cluster
    limit = cluster.resources.limits.memory
    if bytes_of(cluster.buffer_pool) > 0.75 * amount(limit):
        yield (
            ("database", "cluster", "bufferPool"),
            f"{cluster.buffer_pool} is more than 75 % of the memory limit {limit}; "
            "MySQL would be killed when it fills",
        )
