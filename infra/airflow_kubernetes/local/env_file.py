"""The file .env: what Compose puts into compose.yaml. Git ignores it."""

import os
from pathlib import Path
from types import MappingProxyType

from ..secrets import ADMIN_SECRET, KEYS_SECRET, MYSQL_SECRET, draw, generated
from ..settings.schema import Settings

NAME = ".env"
HEADER = "# Written by make local-up. The passwords are the database's: do not lose them.\n"

SECRETS = MappingProxyType(
    {
        "MYSQL_PASSWORD": (MYSQL_SECRET, "password"),
        "MYSQL_ROOT_PASSWORD": (MYSQL_SECRET, "root-password"),
        "FERNET_KEY": (KEYS_SECRET, "fernet-key"),
        "API_SECRET_KEY": (KEYS_SECRET, "api-secret-key"),
        "JWT_SECRET": (KEYS_SECRET, "jwt-secret"),
        "ADMIN_PASSWORD": (ADMIN_SECRET, "password"),
    }
)
"""Generated values, and the Secrets and keys that they are in a cluster."""


def read(file: Path) -> dict[str, str]:
    """Its variables in their order; none if there is no file."""
    if not file.exists():
        return {}
    lines = file.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def write(file: Path, variables: dict[str, str]) -> None:
    """Replace it at once, for its owner alone to read."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as out:
        out.write(HEADER)
        out.writelines(f"{name}={value}\n" for name, value in variables.items())
    fresh.replace(file)


def secrets(settings: Settings, known: dict[str, str]) -> dict[str, str]:
    """Passwords and keys: the known ones, and fresh ones for those that are missing."""
    cluster = settings.database.model_copy(update={"mode": "cluster"})  # as compose.yaml has it
    wanted = generated(settings.model_copy(update={"database": cluster}))
    kinds = {(one.name, key): kind for one in wanted for key, kind in one.keys.items()}
    return {name: known.get(name) or draw(kinds[secret]) for name, secret in SECRETS.items()}
