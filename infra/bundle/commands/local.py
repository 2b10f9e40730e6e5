"""`make local-up`, `make local-down`: a whole Airflow on this machine, by compose.yaml."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shutil import which
from typing import Any

from ..credentials import ADMIN_SECRET, KEYS_SECRET, MYSQL_SECRET, generated
from ..generation import draw
from ..images import references, specs
from ..images.local import Engine, engine, load
from ..images.specs import ROOT
from ..settings.schema import Settings
from .errors import CommandError
from .target import Target

ENV_FILE, COMPOSE_FILE = ".env", "compose.yaml"
SECRETS = {
    "MYSQL_PASSWORD": (MYSQL_SECRET, "password"),
    "MYSQL_ROOT_PASSWORD": (MYSQL_SECRET, "root-password"),
    "FERNET_KEY": (KEYS_SECRET, "fernet-key"),
    "API_SECRET_KEY": (KEYS_SECRET, "api-secret-key"),
    "JWT_SECRET": (KEYS_SECRET, "jwt-secret"),
    "ADMIN_PASSWORD": (ADMIN_SECRET, "password"),
}
"""The generated values of .env, and the Secrets and keys that they are in a cluster."""

LIVE_DAGS = "/mnt/dags"
"""Where compose.yaml mounts ./dags."""

SECONDS_TO_START, RESTARTS = 600, 3


@dataclass(frozen=True)
class Local:
    """The Airflow of a checkout on a machine with Docker and Compose."""

    docker: Engine
    compose_program: tuple[str, ...]
    root: Path = ROOT

    @property
    def env_file(self) -> Path:
        """What Compose puts into compose.yaml; ignored by git."""
        return self.root / ENV_FILE

    @cached_property
    def env(self) -> dict[str, str]:
        """Its variables, in their order; those that a user added too."""
        if not self.env_file.exists():
            return {}
        lines = self.env_file.read_text(encoding="utf-8").splitlines()
        pairs = (line.partition("=") for line in lines if "=" in line and line[0] != "#")
        return {name.strip(): value for name, _, value in pairs}

    @property
    def project(self) -> str:
        """Compose's prefix of containers and volumes. Of two checkouts, one must say another."""
        return self.env.get("COMPOSE_PROJECT_NAME") or "airflow-local"

    def compose(self, *arguments: str) -> bool:
        """Run Compose, whose output goes to standard error; whether it succeeded."""
        command = [*self.compose_program, "--file", COMPOSE_FILE, *arguments]
        return subprocess.run(command, cwd=self.root, stdout=2, check=False).returncode == 0


def local_up(here: Target) -> None:
    """Start it, wait until all of it is healthy, print address, user and password.

    Raises CommandError, EngineError or BuildError.
    """
    local = _local()
    before = local.env.get("AIRFLOW_IMAGE")
    wanted = {
        "COMPOSE_PROJECT_NAME": local.project,
        **_secrets(here.settings, local),
        "AIRFLOW_IMAGE": _image(here.settings, local.docker),
        "MYSQL_IMAGE": here.settings.database.cluster.image,
        "DAGS_FOLDER": LIVE_DAGS if os.environ.get("LIVE") else "",
    }
    _write(local, {**local.env, **wanted})
    if before not in (None, wanted["AIRFLOW_IMAGE"]):
        print("another image than before: stopping the old one first", file=sys.stderr)
        local.compose("down")  # nothing of the old release may run while the new one migrates
    if not local.compose("up", "--detach", "--remove-orphans"):
        raise CommandError(
            "Compose could not start it; the reason is above. For the output of one service: "
            f"{' '.join(local.compose_program)} logs migrations"
        )
    _wait(local)
    print(f"url       http://localhost:{local.env.get('AIRFLOW_PORT') or 8080}")
    print(f"user      {here.settings.airflow.admin.username}")
    print(f"password  {wanted['ADMIN_PASSWORD']}")


def local_down() -> None:
    """Remove its containers; keep database, logs and passwords. Raises CommandError."""
    local = _local()
    if not local.env:
        raise CommandError(f"there is no {ENV_FILE}: make local-up has never been run here")
    if not local.compose("down", "--remove-orphans"):
        raise CommandError("Compose could not stop it; the reason is above")
    print("stopped; database, logs and passwords are kept")


def _local() -> Local:
    docker = engine("docker")
    for program in (("docker", "compose"), ("docker-compose",)):
        if which(program[0]):
            version = subprocess.run([*program, "version"], capture_output=True, check=False)
            if version.returncode == 0:
                return Local(docker, program)
    raise CommandError(
        "there is no Docker Compose; install it (Debian: docker-compose, elsewhere Docker's plugin)"
    )


def _secrets(settings: Settings, local: Local) -> dict[str, str]:
    """The passwords and keys of .env; drawn where it has none, never again after that."""
    kinds = {(one.name, key): kind for one in generated(settings) for key, kind in one.keys.items()}
    missing = [name for name in SECRETS if name not in local.env]
    volume = f"{local.project}_mysql"
    if missing and local.docker.run("volume", "inspect", volume).returncode == 0:
        raise CommandError(
            f"{ENV_FILE} has no {', '.join(missing)}, but there is a database made with other "
            f"passwords: the volume {volume}. Bring the old {ENV_FILE} back; or delete the "
            f"database, if nobody needs it: docker volume rm {volume}"
        )
    return {name: local.env.get(name) or draw(kinds[SECRETS[name]]) for name in SECRETS}


def _image(settings: Settings, docker: Engine) -> str:
    """The image of this checkout: the one that the lock names if Docker can have it, else built."""
    spec = specs.airflow(settings)
    known = references.locked(settings, spec)
    if known is not None:
        if docker.has(known):
            return known
        print(f"{known}: pulling", file=sys.stderr)
        pulled = docker.run("pull", known)
        if pulled.returncode == 0:
            return known
        print(
            f"it cannot be pulled, so it is built here:\n  {pulled.stderr.strip()}", file=sys.stderr
        )
    return load(settings, spec, docker, lambda text: print(text, file=sys.stderr, flush=True))


def _write(local: Local, env: dict[str, str]) -> None:
    """Replace .env at once, for its owner alone to read."""
    fresh = local.env_file.with_name(f"{ENV_FILE}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        file.write(
            "# Written by make local-up. The passwords are the database's: do not lose them.\n"
        )
        file.writelines(f"{name}={value}\n" for name, value in env.items())
    fresh.replace(local.env_file)


def _wait(local: Local) -> None:
    """Until every service is healthy or, of those that end, has ended well. Raises CommandError."""
    started, said = time.monotonic(), ""
    while True:
        states = {_service(one): _state(one) for one in _containers(local)}
        text = ", ".join(f"{name} {state}" for name, state in sorted(states.items()))
        seconds = time.monotonic() - started
        if text != said:
            print(f"  {seconds:4.0f} s  {text}", file=sys.stderr, flush=True)
            said = text
        if states and set(states.values()) <= {"healthy", "done"}:
            return
        failed = [name for name, state in states.items() if state in ("failed", "unhealthy")]
        if failed or seconds > SECONDS_TO_START:
            bad = failed or [
                name for name, state in states.items() if state not in ("healthy", "done")
            ]
            raise CommandError(_reasons(local, bad, seconds))
        time.sleep(1)


def _containers(local: Local) -> list[dict[str, Any]]:
    label = f"label=com.docker.compose.project={local.project}"
    services = "label=com.docker.compose.oneoff=False"
    ids = local.docker.run("ps", "--all", "--quiet", "--filter", label, "--filter", services)
    found: list[dict[str, Any]] = json.loads(
        local.docker.run("inspect", *ids.stdout.split()).stdout or "[]"
    )
    return found


def _service(container: dict[str, Any]) -> str:
    return str(container["Config"]["Labels"]["com.docker.compose.service"])


def _state(container: dict[str, Any]) -> str:
    """In a word: healthy or done, failed or unhealthy, or something that may still become well."""
    state = container["State"]
    ended = state["Status"] in ("exited", "dead")
    if ended and (state["ExitCode"] or "Health" in state):
        return "failed"
    if ended:
        return "done"
    if container["RestartCount"] >= RESTARTS:
        return "failed"
    return str(state["Health"]["Status"] if "Health" in state else state["Status"])


def _reasons(local: Local, services: list[str], seconds: float) -> str:
    lines = [f"after {seconds:.0f} s not healthy: {', '.join(services)}"]
    for container in _containers(local):
        if _service(container) in services:
            logs = local.docker.run("logs", "--tail", "15", container["Id"])
            lines += [
                f"{_service(container)}, its last lines:",
                *(logs.stdout + logs.stderr).splitlines(),
            ]
    return "\n  ".join(lines)
