"""Logins to registries: from variables, from Docker's configuration, and for docker and buildx."""

import base64
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import UserError
from .reference import DOCKER_HUB

PLACEHOLDER = "[secret]"
"""What a rendered login holds instead of a password."""

USER, PASSWORD = "REGISTRY_USERNAME", "REGISTRY_PASSWORD"


class LoginError(UserError):
    """Half of a login is missing, or Docker's configuration has a login that cannot be used."""


@dataclass(frozen=True)
class Login:
    """A registry's user and password (or access token); repr() leaves out the password."""

    user: str
    password: str = field(repr=False)


def given() -> Login | None:
    """The login in REGISTRY_USERNAME and REGISTRY_PASSWORD, for the environment's own registry.

    Raises LoginError if only one of the two is set.
    """
    user, password = os.environ.get(USER, ""), os.environ.get(PASSWORD, "")
    if bool(user) != bool(password):
        raise LoginError(f"only one of {USER} and {PASSWORD} is set; set both or none")
    return Login(user, password) if user else None


def known(host: str) -> Login | None:
    """The login of `docker login` for a registry's host, from a credential helper or the file.

    docker-py reads it: DOCKER_CONFIG, credsStore, credHelpers, Docker Hub's key. Raises LoginError.
    """
    # Imported here: it costs a tenth of a second that only this path needs.
    import docker.auth
    from docker.credentials import StoreError
    from docker.errors import DockerException

    try:
        entry = docker.auth.load_config().resolve_authconfig(host) or {}
    except (DockerException, StoreError) as error:
        raise LoginError(
            f"Docker's configuration has a login for {host} that cannot be read ({error}). Run "
            f"docker login {host} again, or set {USER} and {PASSWORD}"
        ) from None
    if "IdentityToken" in entry:
        raise LoginError(
            f"the login for {host} in Docker's configuration is an identity token, which only "
            f"Docker itself can use. Log in with an access token as password: docker login {host} "
            f"--username <user>, or set {USER} and {PASSWORD}"
        )
    # Keys of the file's entries are in lower case, those of a credential helper in title case.
    user = entry.get("username") or entry.get("Username")
    password = entry.get("password") or entry.get("Password")
    return Login(user, password) if user and password else None


def server(registry: str) -> str:
    """The key of a registry's login in Docker's configuration and in Kubernetes' pull secrets.

    Docker Hub's is a URL, for historical reasons; every other registry's is its host and port.
    """
    host = registry.partition("/")[0]
    return "https://index.docker.io/v1/" if host in (DOCKER_HUB, "index.docker.io") else host


def docker_config(registry: str, user: str, password: str) -> str:
    """The content of a config.json, and of a Secret of type kubernetes.io/dockerconfigjson."""
    entry = {
        "username": user,
        "password": password,
        "auth": base64.b64encode(f"{user}:{password}".encode()).decode(),
    }
    return json.dumps({"auths": {server(registry): entry}}, sort_keys=True)


@contextmanager
def for_docker(registry: str, login: Login | None) -> Iterator[dict[str, str]]:
    """Environment variables with which docker and buildx use this login for this registry.

    All else of Docker's configuration still applies. The password is in a file that only this user
    can read, and that is deleted afterwards.
    """
    if login is None:
        yield {}
        return
    # Absolute: links to a relative path would be relative to the folder that holds them.
    own = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker").absolute()
    with tempfile.TemporaryDirectory(prefix="docker-config-") as folder:
        config: dict[str, Any] = {}
        for entry in own.iterdir() if own.is_dir() else ():
            if entry.name == "config.json":
                config = json.loads(entry.read_text(encoding="utf-8"))
            else:
                Path(folder, entry.name).symlink_to(entry)
        fresh = json.loads(docker_config(registry, login.user, login.password))["auths"]
        config["auths"] = {**config.get("auths", {}), **fresh}
        # No credential helper for this registry: docker would ask it and ignore the file.
        config["credHelpers"] = {**config.get("credHelpers", {}), **dict.fromkeys(fresh, "")}
        file = Path(folder, "config.json")
        file.touch(mode=0o600)
        file.write_text(json.dumps(config), encoding="utf-8")
        yield {"DOCKER_CONFIG": folder}
