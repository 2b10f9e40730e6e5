"""`database`: the metadata database and its backups."""

from typing import Annotated, Literal

from pydantic import Field

from ..fields import (
    BufferPool,
    DatabaseName,
    DatabaseUser,
    Host,
    ImageName,
    ObjectName,
    Schedule,
    Section,
)
from ..marks import CAPACITY, LOCATION, STAND_IN, UNIQUE_LOCATION, PerEnvironment
from .kubernetes import Claim, Resources
from .pods import OwnAccount, PodSettings


class ClusterDatabase(PodSettings, OwnAccount):
    """MySQL in the cluster: one replica and its claim.

    `keep_claim`: in mode external, keep the claim of an earlier MySQL in the cluster.
    """

    image: Annotated[ImageName, STAND_IN]
    """the image of MySQL, and of backups"""
    keep_claim: Annotated[bool, LOCATION]
    claim: Claim
    buffer_pool: Annotated[BufferPool, CAPACITY]
    """memory in which MySQL keeps data, up to 75 % of its limit"""
    max_connections: Annotated[Annotated[int, Field(ge=20, le=10000)], CAPACITY]
    """connections at a time"""
    resources: Annotated[Resources, CAPACITY]
    """requests and limits of CPU and memory"""


class ExternalDatabase(Section):
    """A MySQL server outside this program; `secret` has the keys username and password."""

    host: Annotated[Host | None, UNIQUE_LOCATION]
    """its name or IPv4 address"""
    port: Annotated[Annotated[int, Field(ge=1, le=65535)], LOCATION]
    """its port"""
    secret: Annotated[ObjectName | None, UNIQUE_LOCATION]


class Backup(PodSettings, OwnAccount):
    """Dumps of the metadata database, on a volume of their own.

    `schedule` is in UTC; None for no scheduled backups. `keep`: the number of backups of each kind
    (database.backup.KINDS) to keep.
    """

    schedule: Annotated[Schedule | None, LOCATION]
    keep: Annotated[Annotated[int, Field(ge=1, le=1000)], CAPACITY]
    claim: Claim
    resources: Annotated[Resources, CAPACITY]
    """requests and limits of CPU and memory"""


class Database(Section):
    """The metadata database. `generation`: raised after a restore, so that migrations run again."""

    mode: Annotated[
        Literal["cluster", "external"],
        PerEnvironment("production databases are often managed outside the cluster", "platform"),
    ]
    name: DatabaseName
    """the database in which Airflow's tables are"""
    user: DatabaseUser
    """Airflow's user in the database"""
    generation: Annotated[
        Annotated[int, Field(ge=1, le=1000000)],
        PerEnvironment("a restore raises it, in the environment that was restored", "data"),
    ]
    cluster: ClusterDatabase
    external: ExternalDatabase
    backup: Backup
