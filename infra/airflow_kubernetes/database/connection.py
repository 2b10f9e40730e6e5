"""How Airflow, and MySQL's own client programs, reach the metadata database."""

from typing import Any

from ..kubernetes.pods import plain_env, secret_env
from ..secrets import MYSQL_SECRET
from ..settings.schema import Settings
from .mysql import NAME, PORT


def environment(
    settings: Settings, variable: str, scheme: str = "mysql+mysqldb"
) -> list[dict[str, Any]]:
    """The environment that ends in the database URL, as the variable that the release reads.

    MySQL in the cluster is asked for TLS, with the certificate that it makes itself: without, the
    login of MySQL 8 (caching_sha2_password) needs RSA, which buster's client library cannot.
    aiomysql has no such option, and does RSA.

    The URL is put together by the kubelet from `$(NAME)` references, so no Secret holds a copy of
    the password. User and password are pasted as they are: those of an external Secret must be
    URL-safe or percent-encoded.
    """
    _, host, port = _server(settings)
    tls = settings.database.mode == "cluster" and scheme.endswith("mysqldb")
    url = (
        f"{scheme}://$(DATABASE_USER):$(DATABASE_PASSWORD)@{host}:{port}"
        f"/{settings.database.name}?charset=utf8mb4{'&ssl_mode=REQUIRED' if tls else ''}"
    )
    return [*_login(settings), {"name": variable, "value": url}]


def client(settings: Settings) -> list[dict[str, Any]]:
    """The environment for MySQL's own client programs: DATABASE_HOST, _PORT, _NAME, _USER and
    _PASSWORD, the last two as they stand in the Secret (perhaps percent-encoded).
    """
    _, host, port = _server(settings)
    place = {
        "DATABASE_HOST": host,
        "DATABASE_PORT": str(port),
        "DATABASE_NAME": settings.database.name,
    }
    return [*_login(settings), *plain_env(place)]


def _login(settings: Settings) -> list[dict[str, Any]]:
    secret, _, _ = _server(settings)
    return [
        secret_env("DATABASE_USER", secret, "username"),
        secret_env("DATABASE_PASSWORD", secret, "password"),
    ]


def _server(settings: Settings) -> tuple[str, str, int]:
    """The Secret with username and password, the host and the port."""
    database = settings.database
    if database.mode == "cluster":
        return MYSQL_SECRET, NAME, PORT
    external = database.external
    if external.secret is None or external.host is None:
        raise ValueError("database.external is not complete; database/rules.py refuses that")
    return external.secret, external.host, external.port
