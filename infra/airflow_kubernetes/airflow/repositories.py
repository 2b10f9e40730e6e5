"""The Git repositories from which DAG code is fetched, and how pods log in to each.

The first source of `airflow.dags` may be one; `airflow.dags.repositories` are others.
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..kubernetes.env import EnvVar, plain_env, secret_env
from ..kubernetes.pod import NOTHING, Parts, volume
from ..settings.schema import DagRepository, GitDags, Settings

BUNDLE = "dags-folder"
"""The first source's name, as Airflow itself calls the folder in the image: runs that began before
a change of the source find their DAG under it afterwards."""

SECRET_FOLDER = "/etc/git-secret"
"""Where git-sync looks for `ssh` and `known_hosts`."""

ASKPASS = "/opt/checks/git_login.sh"
"""The image's program that answers git's questions for a login."""


@dataclass(frozen=True)
class Repository:
    """A repository. `name` is its bundle's, and a suffix of what it has of its own in pods:
    variables, volumes, containers. The first source's have none.
    """

    name: str
    values: GitDags | DagRepository

    @property
    def address(self) -> str:
        """What git fetches from; the schema lets a first source that is not used have none."""
        return self.values.repository or ""

    @property
    def takes_password(self) -> bool:
        """Whether it is reached with a password, and not with a key."""
        return over_http(self.address)

    def called(self, name: str) -> str:
        """A name with the suffix, for an object of Kubernetes'."""
        return name if self.name == BUNDLE else f"{name}-{self.name}"

    def variable(self, name: str) -> str:
        """A name with the suffix, for a variable. Names of bundles have no underscore, so two
        never get the same one.
        """
        return self.called(name).replace("-", "_").upper()


def repositories(settings: Settings) -> list[Repository]:
    """Those that are fetched, the first source first."""
    dags = settings.airflow.dags
    first = [Repository(BUNDLE, dags.git)] if dags.source == "git" else []
    return [*first, *(Repository(name, values) for name, values in dags.repositories.items())]


def over_http(address: str) -> bool:
    """Whether a repository is reached by http or https, and not by ssh."""
    return address.startswith(("http://", "https://"))


def connection_id(repository: Repository) -> str:
    """The id of Airflow's connection to it."""
    return repository.variable("git_dags").lower()


def connection(repository: Repository) -> dict[str, str]:
    """The variable of that connection, where Airflow looks for it first; its value is JSON.

    All components look up their bundles, so it has no password. With one, the Git provider would
    write it into the address, and git's arguments can be read by every process of the node.
    """
    value: dict[str, Any] = {"conn_type": "git", "host": repository.address}
    if not repository.takes_password:
        folder = repository.called(SECRET_FOLDER)
        value["extra"] = {
            "key_file": f"{folder}/ssh",
            "known_hosts_file": f"{folder}/known_hosts",
            "strict_host_key_checking": "yes",
        }
    return {f"AIRFLOW_CONN_{connection_id(repository).upper()}": json.dumps(value)}


def login(repository: Repository) -> tuple[EnvVar, ...]:
    """User, password and the program of the image that gives them to git, where it needs them."""
    secret = repository.values.secret
    if secret is None or not repository.takes_password:
        return ()
    server = urlsplit(repository.address)
    plain = {"GIT_ASKPASS": ASKPASS, "GIT_SERVER": f"{server.scheme}://{server.netloc}"}
    return (
        secret_env(repository.variable("GIT_USERNAME"), secret, "username"),
        secret_env(repository.variable("GIT_PASSWORD"), secret, "password"),
        *plain_env({repository.variable(name): value for name, value in plain.items()}),
    )


def secret_volume(repository: Repository, folder: str) -> Parts:
    """Its Secret as files in `folder`."""
    secret = repository.values.secret
    if secret is None:
        return NOTHING
    # fsGroup makes the files readable for the group too. ssh minds that only for files of its own
    # user.
    source = {"secret": {"secretName": secret, "defaultMode": 0o400}}
    return volume(repository.called("git-secret"), folder, source, readOnly=True)
