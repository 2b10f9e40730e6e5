"""Secrets that are generated once and then kept: their names, keys and kinds.

Both engines create them from this table; neither changes a value that exists. Under Pulumi a
value is a protected resource of the random provider, kept in the stack's encrypted state. Under
kubectl it is drawn once, and the cluster's Secret is its only record. Passwords are alphanumeric
because MySQL's image pastes them into SQL and Airflow into a URL.
"""

import secrets
import string
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

import pulumi
import pulumi_random

from .kubernetes.env import EnvVar, secret_env
from .kubernetes.manifest import Manifest, manifest
from .settings.schema import SecretKey, Settings

PLACEHOLDER = "[generated]"
"""What a rendered Secret holds instead of a value."""

MYSQL_SECRET, KEYS_SECRET, ADMIN_SECRET = "airflow-mysql", "airflow-keys", "airflow-admin"
CELERY_SECRET = "airflow-celery"
BROKER_PASSWORD, FLOWER_PASSWORD = "broker-password", "flower-password"


FERNET_KEY, ADMIN_PASSWORD = "fernet-key", "password"
MYSQL_PASSWORD, MYSQL_ROOT_PASSWORD = "password", "root-password"

EXISTING = {
    (KEYS_SECRET, FERNET_KEY): "fernet_key",
    (KEYS_SECRET, "api-secret-key"): "api_secret_key",
    (KEYS_SECRET, "jwt-secret"): "jwt_secret",
    (ADMIN_SECRET, ADMIN_PASSWORD): "admin_password",
    (CELERY_SECRET, BROKER_PASSWORD): "redis_password",
    (CELERY_SECRET, FLOWER_PASSWORD): "flower_basic_auth",
    (MYSQL_SECRET, MYSQL_PASSWORD): "mysql_password",
    (MYSQL_SECRET, MYSQL_ROOT_PASSWORD): "mysql_root_password",
}
"""The setting below `secrets` for each generated value, by its Secret and key."""


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
    """The Secrets that an environment needs, the same for every executor: a switch makes none.

    Without the values that existing Secrets have.
    """
    for item in _all(settings):
        keys = {
            key: kind
            for key, kind in item.keys.items()
            if existing(settings, item.name, key) is None
        }
        if keys or item.plain:
            yield replace(item, keys=keys)


def existing(settings: Settings, secret: str, key: str) -> SecretKey | None:
    """The Secret that the values name in the place of a generated value, if they may and do."""
    setting = EXISTING.get((secret, key))
    found: SecretKey | None = getattr(settings.secrets, setting) if setting else None
    return found


def place(settings: Settings, secret: str, key: str) -> tuple[str, str]:
    """The Secret and the key of a value that is generated, or in an existing Secret."""
    given = existing(settings, secret, key)
    return (secret, key) if given is None else (given.secret, given.key)


def value_env(settings: Settings, variable: str, secret: str, key: str) -> EnvVar:
    """A variable with a value that is generated, or in an existing Secret."""
    return secret_env(variable, *place(settings, secret, key))


def _all(settings: Settings) -> Iterator[Generated]:
    yield Generated(
        KEYS_SECRET,
        "keys",
        {},
        {FERNET_KEY: Kind.FERNET, "api-secret-key": Kind.KEY, "jwt-secret": Kind.KEY},
    )
    yield Generated(
        ADMIN_SECRET,
        "admin",
        {"username": settings.airflow.admin.username},
        {ADMIN_PASSWORD: Kind.PASSWORD},
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
            {MYSQL_ROOT_PASSWORD: Kind.PASSWORD, MYSQL_PASSWORD: Kind.PASSWORD},
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
