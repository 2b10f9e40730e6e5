"""All objects of the metadata database."""

from collections.abc import Iterator

from ..kubernetes.manifest import Manifest
from ..settings.schema import Settings
from .backup import backup_manifests
from .mysql import mysql_manifests


def database_manifests(settings: Settings) -> Iterator[Manifest]:
    """The server, where it runs in the cluster, and the backups."""
    yield from mysql_manifests(settings)
    yield from backup_manifests(settings)
