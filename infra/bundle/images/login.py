"""Logins to registries: from the environment, from Docker's configuration, and for the cluster."""

import base64
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..kubernetes.metadata import Manifest, manifest
from ..settings.schema import Settings
from .oci import DOCKER_HUB

SECRET = "airflow-registry"
"""The Secret that nodes log in with, where the environment is given a login."""

PLACEHOLDER = "[secret]"
"""What a rendered login holds instead of a password."""

USER, PASSWORD = "REGISTRY_USERNAME", "REGISTRY_PASSWORD"


class LoginError(Exception):
    """A login is half given, or Docker's configuration has one that cannot be used."""


@dataclass(frozen=True)
class Login:
    """A registry's user and password (or access token); the password is in no representation."""

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
    """What `docker login` noted for a registry's host, in a credential helper or in the file.

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
    # A file's entries are spelled in small letters, a credential helper's in capitals.
    user = entry.get("username") or entry.get("Username")
    password = entry.get("password") or entry.get("Password")
    return Login(user, password) if user and password else None


def server(registry: str) -> str:
    """What Docker and Kubernetes call the host of `images.registry` in a login.

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


def pull_secret(namespace: str, config: Any) -> Manifest:
    """The Secret that nodes log in with; `config` is a `docker_config`, or Pulumi's Output of one.

    https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets
    """
    return manifest(
        "v1",
        "Secret",
        SECRET,
        namespace,
        "registry",
        type="kubernetes.io/dockerconfigjson",
        stringData={".dockerconfigjson": config},
    )


def filled(obj: Manifest, registry: str, login: Login | None) -> Manifest:
    """The object with the login in place of a rendered placeholder, if it is that Secret."""
    if login is None or (obj["kind"], obj["metadata"]["name"]) != ("Secret", SECRET):
        return obj
    config = docker_config(registry, login.user, login.password)
    return {**obj, "stringData": {".dockerconfigjson": config}}


def with_pull_secret(settings: Settings) -> Settings:
    """The settings of an environment that is given a login: pods use the Secret made from it.

    An existing Secret that the values name stays: whoever made it knows why.
    """
    if settings.images.pull_secret:
        return settings
    images = settings.images.model_copy(update={"pull_secret": SECRET})
    return settings.model_copy(update={"images": images})


@contextmanager
def for_docker(registry: str, login: Login | None) -> Iterator[dict[str, str]]:
    """Variables that make docker and buildx log in so; their other configuration stays.

    The password is in a file that only this user can read, and that is gone afterwards.
    """
    if login is None:
        yield {}
        return
    own = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    with tempfile.TemporaryDirectory(prefix="docker-config-") as folder:
        config: dict[str, Any] = {}
        for entry in own.iterdir() if own.is_dir() else ():
            if entry.name == "config.json":
                config = json.loads(entry.read_text(encoding="utf-8"))
            else:
                Path(folder, entry.name).symlink_to(entry)
        fresh = json.loads(docker_config(registry, login.user, login.password))["auths"]
        config["auths"] = {**config.get("auths", {}), **fresh}
        # No helper for this one registry: docker would ask it and not look at the file.
        config["credHelpers"] = {**config.get("credHelpers", {}), **dict.fromkeys(fresh, "")}
        file = Path(folder, "config.json")
        file.touch(mode=0o600)
        file.write_text(json.dumps(config), encoding="utf-8")
        yield {"DOCKER_CONFIG": folder}
