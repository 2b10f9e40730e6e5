"""Cross-field rules about the metadata database."""

from collections.abc import Iterator

from ..settings.problems import Fault
from ..settings.quantities import amount
from ..settings.schema import Settings
from .mysql import bytes_of

OWN_SCHEMAS = ("information_schema", "mysql", "ndbinfo", "performance_schema", "sys")
"""Source: MySQL's manual, "Data Dictionary Schema", "The sys Schema" and "NDB Cluster"."""


def problems(settings: Settings) -> Iterator[Fault]:
    """Path and message of every contradiction."""
    database = settings.database
    if database.name.lower() in OWN_SCHEMAS:
        yield (
            ("database", "name"),
            f"{database.name} is a schema of MySQL's own, which a restore would empty; use another "
            "name",
        )
    if database.user.lower() == "root":
        yield ("database", "user"), "the MySQL image creates root itself; use another name"
    if database.mode == "external":
        for key, value in (("host", database.external.host), ("secret", database.external.secret)):
            if value is None:
                yield (
                    ("database", "external", key),
                    "must be set, because database.mode is external",
                )
        return
    cluster = database.cluster
    limit = cluster.resources.limits.memory
    if bytes_of(cluster.buffer_pool) > 0.75 * amount(limit):
        yield (
            ("database", "cluster", "bufferPool"),
            f"{cluster.buffer_pool} is more than 75 % of the memory limit {limit}: MySQL would be "
            "killed when it fills; lower it, or raise the limit",
        )
