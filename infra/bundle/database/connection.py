"""How Airflow reaches its metadata database."""

from typing import Any

from ..credentials import MYSQL_SECRET
from ..kubernetes.pods import secret_env
from ..settings.schema import Settings
from .mysql import NAME, PORT


def environment(settings: Settings, variable: str, scheme: str = "") -> list[dict[str, Any]]:
    """The environment that ends in the database URL, as the variable that the release reads.

    `scheme` goes before the URL's own ("db+" for Celery's result backend).

    The URL is put together by the kubelet from `$(NAME)` references, so no Secret holds a copy of
    the password. User and password are pasted as they are: those of an external Secret must be
    URL-safe or percent-encoded.
    """
    database = settings.database
    if database.mode == "external":
        secret, host, port = (
            database.external.secret,
            database.external.host,
            database.external.port,
        )
    else:
        secret, host, port = MYSQL_SECRET, NAME, PORT
    if secret is None:
        raise ValueError("database.external.secret is not set; settings.checks refuses that")
    url = (
        f"{scheme}mysql+mysqldb://$(DATABASE_USER):$(DATABASE_PASSWORD)@{host}:{port}/{database.name}"
        "?charset=utf8mb4"
    )
    return [
        secret_env("DATABASE_USER", secret, "username"),
        secret_env("DATABASE_PASSWORD", secret, "password"),
        {"name": variable, "value": url},
    ]
