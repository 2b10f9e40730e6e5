"""Secrets that are generated once and then kept: their names, keys and kinds.

Both engines create them from this table; neither changes a value that exists. Under Pulumi a
value is a protected resource of the random provider, kept in the stack's encrypted state. Under
kubectl it is drawn once, and the cluster's Secret is its only record. Passwords are alphanumeric
because MySQL's image pastes them into SQL and Airflow into a URL.
"""

import secrets
import string
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import pulumi
import pulumi_random

from .kubernetes.manifest import Manifest, manifest
from .settings.schema import Settings

PLACEHOLDER = "[generated]"
"""What a rendered Secret holds instead of a value."""

MYSQL_SECRET, KEYS_SECRET, ADMIN_SECRET = "airflow-mysql", "airflow-keys", "airflow-admin"
CELERY_SECRET = "airflow-celery"
BROKER_PASSWORD, FLOWER_PASSWORD = "broker-password", "flower-password"


class Kind(Enum):
    """PASSWORD: 32 letters and digits. KEY: 64 of them, enough for HS512. FERNET: 32 bytes in
    URL-safe base64 (https://cryptography.io/en/latest/fernet/): 42 of them, and its end.
    """

    PASSWORD = "password"
    KEY = "key"
    FERNET = "fernet"


LENGTH = {Kind.PASSWORD: 32, Kind.KEY: 64, Kind.FERNET: 42}
"""Letters and digits that are drawn, by kind."""


@dataclass(frozen=True)
class Generated:
    """One Secret: plain entries and generated ones.

    Those `of_data` belong to what is in the database (its users, and what they encrypted in it),
    so they must not be generated again while a claim holds one.
    """

    name: str
    component: str
    plain: dict[str, str]
    keys: dict[str, Kind]
    of_data: bool = True


def generated(settings: Settings) -> Iterator[Generated]:
    """The Secrets that an environment needs, the same for every executor: a switch makes none."""
    yield Generated(
        KEYS_SECRET,
        "keys",
        {},
        {"fernet-key": Kind.FERNET, "api-secret-key": Kind.KEY, "jwt-secret": Kind.KEY},
    )
    yield Generated(
        ADMIN_SECRET,
        "admin",
        {"username": settings.airflow.admin.username},
        {"password": Kind.PASSWORD},
    )
    yield Generated(
        CELERY_SECRET,
        "celery",
        {},
        {BROKER_PASSWORD: Kind.PASSWORD, FLOWER_PASSWORD: Kind.PASSWORD},
        of_data=False,
    )
    if settings.database.mode == "cluster" or settings.database.cluster.keep_claim:
        yield Generated(
            MYSQL_SECRET,
            "mysql",
            # Made with the volume, and no longer read from the values by MySQL's image after that.
            {"username": settings.database.user, "database": settings.database.name},
            {"root-password": Kind.PASSWORD, "password": Kind.PASSWORD},
        )


def secret(settings: Settings, wanted: Generated) -> Manifest:
    """The Secret as an object, a placeholder for each generated value."""
    values = {**wanted.plain, **dict.fromkeys(wanted.keys, PLACEHOLDER)}
    return manifest(
        "v1",
        "Secret",
        wanted.name,
        settings.namespace,
        wanted.component,
        protected=True,
        type="Opaque",
        stringData=values,
    )


def resource(name: str, kind: Kind, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """The value from a resource `name` of the random provider.

    Only RandomPassword: the id of a RandomBytes is its value, and the state does not encrypt ids.
    """
    drawn = pulumi_random.RandomPassword(name, length=LENGTH[kind], special=False, opts=opts)
    return drawn.result.apply(lambda text: _value(kind, text))


def draw(kind: Kind) -> str:
    """A fresh value from the operating system's random source."""
    alphabet = string.ascii_letters + string.digits
    return _value(kind, "".join(secrets.choice(alphabet) for _ in range(LENGTH[kind])))


def _value(kind: Kind, drawn: str) -> str:
    """The value of what was drawn; a whole value, as `make adopt` finds it, stays as it is."""
    return f"{drawn}A=" if kind is Kind.FERNET and len(drawn) == LENGTH[kind] else drawn
