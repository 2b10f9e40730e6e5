"""`make local-up` and `make local-down`: all of Airflow on this machine with Docker Compose."""

import subprocess

import yaml

from ..airflow.releases import RELEASES
from ..console import say
from ..errors import CommandError
from ..local import env_file, images
from ..local.engine import Engine, find_engine
from ..paths import ROOT
from ..settings.schema import Settings
from .target import Target

COMPOSE_FILE = ROOT / "compose.yaml"
ENV_FILE = ROOT / env_file.NAME
PROJECT = "airflow-local"
"""Compose's prefix of containers and volumes, unless .env has another."""
TIMEOUT = 600
"""Seconds in which all services must become healthy."""


def local_up(target: Target) -> None:
    """Start all services, wait until they are healthy, print address, user and password.

    Raises CommandError, EngineError or BuildError.
    """
    settings = target.settings
    _refuse_other_release(settings)
    docker = _docker()
    before = env_file.read(ENV_FILE)
    project = before.get("COMPOSE_PROJECT_NAME") or PROJECT
    _refuse_new_passwords(docker, before, f"{project}_mysql")
    now = before | {
        "COMPOSE_PROJECT_NAME": project,
        **env_file.secrets(settings, before),
        "AIRFLOW_IMAGE": images.airflow(settings, docker),
        "MYSQL_IMAGE": settings.database.cluster.image,
    }
    env_file.write(ENV_FILE, now)
    images.write_references(settings)
    if before.get("AIRFLOW_IMAGE") not in (None, now["AIRFLOW_IMAGE"]):
        say("the Airflow image has changed: stopping the old containers first")
        _compose("down")  # no other release may run while the database is migrated
    try:
        _compose("up", "--wait", "--wait-timeout", str(TIMEOUT), "--remove-orphans")
    except CommandError:
        _compose("logs", "--tail", "15")
        raise
    print(f"url       http://localhost:{now.get('AIRFLOW_PORT') or 8080}")
    print(f"user      {settings.airflow.admin.username}")
    print(f"password  {now['ADMIN_PASSWORD']}")


def local_down() -> None:
    """Remove the containers; keep database, logs and passwords. Raises CommandError."""
    if not ENV_FILE.exists():
        raise CommandError(f"{env_file.NAME} does not exist: make local-up has not run here")
    _docker()
    _compose("down", "--remove-orphans")
    print("stopped; database, logs and passwords are kept")


def _compose(*arguments: str) -> None:
    """Run Docker Compose in the checkout, with its output shown. Raises CommandError."""
    command = ["docker", "compose", "--file", COMPOSE_FILE.name, *arguments]
    if subprocess.run(command, cwd=ROOT, stdout=2, check=False).returncode:
        raise CommandError(
            f"`{' '.join(command)}` failed; the reason is above. "
            "A service's log: docker compose logs <service>"
        )


def _docker() -> Engine:
    """Docker, with Compose 2. Raises EngineError, CommandError."""
    docker = find_engine("docker")
    if docker.run("compose", "version").returncode:
        raise CommandError(
            "Docker has no plugin `compose`: install Docker Compose 2 or newer (package "
            "docker-compose-plugin of Docker's repository; Debian 12's docker-compose is version 1)"
        )
    return docker


def _refuse_other_release(settings: Settings) -> None:
    """compose.yaml has the web component of one Airflow line. Raises CommandError for another."""
    version = settings.airflow.version
    try:
        services = dict(yaml.safe_load(COMPOSE_FILE.read_bytes())["services"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, RecursionError):
        raise CommandError(
            f"{COMPOSE_FILE.name} is no Compose file with services: restore it from git"
        ) from None
    web = {name: release.web.component.name for name, release in RELEASES.items()}
    if web[version] not in services:
        supported = [name for name, service in web.items() if service in services]
        raise CommandError(
            f"airflow.version is {version}, but compose.yaml has no service {web[version]}: "
            f"it runs Airflow {', '.join(supported)}. Set that version in values/common.yaml, or "
            f"run {version} on a cluster: make up"
        )


def _refuse_new_passwords(docker: Engine, env: dict[str, str], volume: str) -> None:
    """Raises CommandError if the database exists and .env lacks its passwords."""
    missing = [name for name in env_file.SECRETS if not env.get(name)]
    if missing and docker.run("volume", "inspect", volume).returncode == 0:
        raise CommandError(
            f"{env_file.NAME} has no {', '.join(missing)}, but the volume {volume} holds a "
            f"database that was created with other values. Restore that {env_file.NAME}. If this "
            f"is another checkout, write COMPOSE_PROJECT_NAME=<another> and AIRFLOW_PORT=<another> "
            f"into {env_file.NAME}. If nobody needs that data: docker volume rm {volume}"
        )
