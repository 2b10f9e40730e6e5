"""`database`: the metadata database and its backups."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .. import cron
from ..fields import (
    CAPACITY,
    OWN_PLACE,
    PLACE,
    STAND_IN,
    Host,
    Identifier,
    ImageName,
    Name,
    Section,
    Text,
)
from ..marks import PerEnvironment
from .kubernetes import Claim, Resources


class ClusterDatabase(Section):
    """MySQL in the cluster: one replica with a claim of its own."""

    image: Annotated[ImageName, STAND_IN]
    keep_claim: Annotated[bool, PLACE]
    claim: Claim
    buffer_pool: Annotated[Annotated[str, StringConstraints(pattern=r"^[0-9]+[MG]$")], CAPACITY]
    max_connections: Annotated[Annotated[int, Field(ge=20, le=10000)], CAPACITY]
    resources: Annotated[Resources, CAPACITY]


class ExternalDatabase(Section):
    """A MySQL server that somebody else runs; `secret` has the keys username and password."""

    host: Annotated[Host | None, OWN_PLACE]
    port: Annotated[Annotated[int, Field(ge=1, le=65535)], PLACE]
    secret: Annotated[Name | None, OWN_PLACE]


class Backup(Section):
    """Dumps of the metadata database on a volume of their own.

    `schedule` is cron's five fields in UTC, or null for none; `keep` is how many scheduled backups
    are kept, and others are never deleted.
    """

    schedule: Annotated[Text | None, replace(PLACE, bounds=cron.FORM)]
    keep: Annotated[Annotated[int, Field(ge=1, le=1000)], CAPACITY]
    claim: Claim
    resources: Annotated[Resources, CAPACITY]


class Database(Section):
    """The metadata database."""

    mode: Annotated[
        Literal["cluster", "external"],
        PerEnvironment("production databases are often managed outside the cluster", "platform"),
    ]
    name: Identifier
    user: Identifier
    generation: Annotated[
        Annotated[int, Field(ge=1, le=1000000)],
        PerEnvironment("a restore raises it, in the environment that was restored", "data"),
    ]
    cluster: ClusterDatabase
    external: ExternalDatabase
    backup: Backup
