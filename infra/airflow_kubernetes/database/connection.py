"""How Airflow, and MySQL's own client programs, reach the metadata database."""

from urllib.parse import quote

from ..kubernetes.env import EnvVar, plain_env, secret_env
from ..secrets import MYSQL_PASSWORD, MYSQL_SECRET, place
from ..settings.schema import Settings
from .mysql import NAME, PORT

SESSION = "SET time_zone = '+00:00', wait_timeout = 28800"
"""What a session begins with. Columns of type TIMESTAMP are in its time zone, which
Airflow sets for its synchronous engine alone (airflow/utils/orm_event_handlers.py). A migration's
session that holds its lock is silent meanwhile, and a server may end such ones after seconds."""


def url_env(settings: Settings, variable: str, scheme: str = "mysql+mysqldb") -> tuple[EnvVar, ...]:
    """User, password and, as `variable`, the database's SQLAlchemy URL.

    The kubelet puts the URL together from `$(NAME)` references, so no Secret holds a copy of the
    password. It inserts user and password unchanged: those of an external Secret must be URL-safe
    or percent-encoded.

    MySQL in the cluster is reached with TLS and the certificate that it makes itself: without TLS,
    MySQL 8's login (caching_sha2_password) needs RSA, which buster's client library does not have.
    aiomysql has RSA and no option for TLS in the URL.
    """
    _, host, port = _server(settings)
    tls = settings.database.mode == "cluster" and scheme.endswith("mysqldb")
    url = (
        f"{scheme}://$(DATABASE_USER):$(DATABASE_PASSWORD)@{host}:{port}"
        f"/{settings.database.name}?charset=utf8mb4{'&ssl_mode=REQUIRED' if tls else ''}"
        f"&init_command={quote(SESSION)}"
    )
    return (*_login(settings), {"name": variable, "value": url})


def client_env(settings: Settings) -> tuple[EnvVar, ...]:
    """For MySQL's own client programs: DATABASE_HOST, _PORT, _NAME, _USER and _PASSWORD.

    User and password are those of the Secret, perhaps percent-encoded.
    """
    _, host, port = _server(settings)
    address = {
        "DATABASE_HOST": host,
        "DATABASE_PORT": str(port),
        "DATABASE_NAME": settings.database.name,
    }
    return (*_login(settings), *plain_env(address))


def _login(settings: Settings) -> tuple[EnvVar, EnvVar]:
    secret, _, _ = _server(settings)
    password = (
        place(settings, MYSQL_SECRET, MYSQL_PASSWORD)
        if settings.database.mode == "cluster"
        else (secret, "password")
    )
    return (
        secret_env("DATABASE_USER", secret, "username"),
        secret_env("DATABASE_PASSWORD", *password),
    )


def _server(settings: Settings) -> tuple[str, str, int]:
    """The Secret with the username, and in mode external the password; the host and the port."""
    database = settings.database
    if database.mode == "cluster":
        return MYSQL_SECRET, NAME, PORT
    external = database.external
    if external.secret is None or external.host is None:
        raise ValueError("database.external is not complete; database/rules.py refuses that")
    return external.secret, external.host, external.port
