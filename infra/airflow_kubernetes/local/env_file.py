"""The file .env: the variables of compose.yaml, generated passwords among them. Git ignores it."""

import os
from pathlib import Path
from types import MappingProxyType

from ..secrets import ADMIN_SECRET, KEYS_SECRET, MYSQL_SECRET, draw, generated
from ..settings.schema import Secrets, Settings

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
"""Variables of generated values: the Secret and key that hold the same value in a cluster."""


def read(file: Path) -> dict[str, str]:
    """The variables in their order; empty if the file does not exist."""
    if not file.exists():
        return {}
    lines = file.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def write(file: Path, variables: dict[str, str]) -> None:
    """Replace the file atomically; only its owner can read it."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as out:
        out.write(HEADER)
        out.writelines(f"{name}={value}\n" for name, value in variables.items())
    fresh.replace(file)


def secrets(settings: Settings, known: dict[str, str]) -> dict[str, str]:
    """Passwords and keys: the known values, and new ones for those that are missing."""
    database = settings.database.model_copy(update={"mode": "cluster"})  # as in compose.yaml
    own = Secrets(revision=1)  # no Secrets exist here
    specs = generated(settings.model_copy(update={"database": database, "secrets": own}))
    kinds = {(spec.name, key): kind for spec in specs for key, kind in spec.keys.items()}
    return {name: known.get(name) or draw(kinds[secret]) for name, secret in SECRETS.items()}
