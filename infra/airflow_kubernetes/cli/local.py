"""`make local-up`, `make local-down`: a whole Airflow on this machine, by compose.yaml."""

import subprocess
import sys
from dataclasses import dataclass
from shutil import which

from ..errors import CommandError
from ..images.specs import ROOT
from ..local import env_file, health, images
from ..local.engine import Engine, engine
from .target import Target

ENV_FILE = ROOT / env_file.NAME
PROJECT = "airflow-local"
"""Compose's prefix of containers and volumes, unless .env says another."""

LIVE_DAGS = "/mnt/dags"
"""Where compose.yaml mounts ./dags."""


@dataclass(frozen=True)
class Compose:
    """Docker Compose, version 1 or 2."""

    program: tuple[str, ...]

    def run(self, *arguments: str) -> None:
        """Run it for the checkout's compose.yaml. Raises CommandError; its output is shown."""
        command = [*self.program, "--file", "compose.yaml", *arguments]
        if subprocess.run(command, cwd=ROOT, stdout=2, check=False).returncode:
            raise CommandError(
                f"`{' '.join(command)}` failed; the reason is above. What a service said: "
                f"{' '.join(self.program)} logs <service>"
            )


def local_up(here: Target, *, live: bool = False) -> None:
    """Start it, wait until all of it is healthy, print address, user and password.

    Raises CommandError, EngineError or BuildError.
    """
    docker, compose = engine("docker"), _compose()
    before = env_file.read(ENV_FILE)
    project = before.get("COMPOSE_PROJECT_NAME") or PROJECT
    _refuse_other_passwords(docker, before, f"{project}_mysql")
    now = before | {
        "COMPOSE_PROJECT_NAME": project,
        **env_file.secrets(here.settings, before),
        "AIRFLOW_IMAGE": images.airflow(here.settings, docker),
        "MYSQL_IMAGE": here.settings.database.cluster.image,
        "DAGS_FOLDER": LIVE_DAGS if live else "",
    }
    env_file.write(ENV_FILE, now)
    images.write_references(here.settings)
    if before.get("AIRFLOW_IMAGE") not in (None, now["AIRFLOW_IMAGE"]):
        print("another image than before: stopping what runs", file=sys.stderr)
        compose.run("down")  # nothing of one release may run while another migrates the database
    compose.run("up", "--detach", "--remove-orphans")
    try:
        health.wait(docker, project)
    except health.UnhealthyError as error:
        raise CommandError(str(error)) from None
    print(f"url       http://localhost:{now.get('AIRFLOW_PORT') or 8080}")
    print(f"user      {here.settings.airflow.admin.username}")
    print(f"password  {now['ADMIN_PASSWORD']}")


def local_down() -> None:
    """Remove its containers; keep database, logs and passwords. Raises CommandError."""
    if not ENV_FILE.exists():
        raise CommandError(f"there is no {env_file.NAME}: make local-up was never run here")
    engine("docker")
    _compose().run("down", "--remove-orphans")
    print("stopped; database, logs and passwords are kept")


def _compose() -> Compose:
    for program in (("docker", "compose"), ("docker-compose",)):
        if which(program[0]):
            version = subprocess.run([*program, "version"], capture_output=True, check=False)
            if version.returncode == 0:
                return Compose(program)
    raise CommandError(
        "there is no Docker Compose; install it (Debian: docker-compose; elsewhere it is a plugin "
        "of Docker's)"
    )


def _refuse_other_passwords(docker: Engine, env: dict[str, str], volume: str) -> None:
    missing = [name for name in env_file.SECRETS if not env.get(name)]
    if missing and docker.run("volume", "inspect", volume).returncode == 0:
        raise CommandError(
            f"{env_file.NAME} has no {', '.join(missing)}, but the volume {volume} holds a "
            f"database that was made with other values. Bring that {env_file.NAME} back. If this "
            f"is another checkout, write COMPOSE_PROJECT_NAME=<another> and AIRFLOW_PORT=<another> "
            f"into {env_file.NAME}. If nobody needs that data: docker volume rm {volume}"
        )
