"""The command line behind the Makefile: `python -m bundle <command> <environment>`."""

import argparse
import os
import sys
from collections.abc import Callable

import yaml

from .commands.backup import backup, backups
from .commands.down import down
from .commands.env import env
from .commands.errors import CommandError
from .commands.local import local_down, local_up
from .commands.parity import parity, parity_of_all
from .commands.preview import preview
from .commands.real_state import drift
from .commands.rest import RestError, password
from .commands.restore import from_variables
from .commands.smoke import smoke
from .commands.target import Target, target
from .commands.task import task
from .commands.up import print_access, up
from .commands.upgrade import upgrade
from .images import build, catalog
from .images.buildx import BuildError
from .images.lock import LockError
from .local.engine import EngineError
from .policies.waivers import WaiversError
from .registry.history import HistoryError
from .registry.login import LoginError
from .registry.oci import RegistryError
from .render.apply import RolloutError
from .render.foundation import FoundationError
from .render.kubectl import KubectlError
from .render.program import objects
from .report.checkout import CheckoutError
from .settings.load import environments, load
from .settings.problems import SettingsError

EXPECTED = (
    BuildError, CheckoutError, CommandError, EngineError, FoundationError, HistoryError,
    KubectlError, LockError, LoginError, RegistryError, RestError, RolloutError, SettingsError,
    WaiversError,
)  # fmt: skip
"""Errors whose message is all that a user needs."""


def main() -> int:
    """Run one command; 0 if it did what it says, else 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="bundle", description=__doc__)
    parser.add_argument("command", choices=sorted(COMMANDS))
    parser.add_argument("environment", nargs="?", default="")
    arguments = parser.parse_args()
    try:
        COMMANDS[arguments.command](arguments.environment)
    except EXPECTED as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0


def _render(environment: str) -> None:
    here = target(environment, changes_nothing=True)
    print(yaml.safe_dump_all(objects(environment, here.overrides), sort_keys=True), end="")


def _images(environment: str) -> None:
    here = target(environment)
    if not here.settings.images.build:
        raise CommandError(f"values/{environment}.yaml: images.build is false; build in another")
    build.ensure(here.settings, print)


def _status(environment: str) -> None:
    here = target(environment)
    here.kubectl.reach()
    print(here.kubectl.run("get", "deployments,statefulsets,jobs,pods,pvc"), end="")
    print_access(here)


def _smoke_once(environment: str) -> None:
    """After `up`: one run for each image, so that a second `up` adds nothing."""
    here: Target = target(environment)
    if here.settings.airflow.stopped:
        return
    smoke(here, f"up-{catalog.airflow(here.settings).tag}")


def _promote(environment: str) -> None:
    # Imported here, as below: a client of registries costs a tenth of a second.
    from .commands.promote import promote_all

    promote_all(target(environment))


def _prune(environment: str) -> None:
    from .commands.prune import prune

    prune(target(environment))


def _preview(environment: str) -> None:
    base = os.environ.get("BASE", "")
    if not base:
        preview(target(environment, changes_nothing=True))
        return
    from .commands.report import report

    report(base, [environment] if environment else [], os.environ.get("REPORT", ""))


def _policies(environment: str) -> None:
    from .commands.policies import policies

    policies(environment, os.environ.get("SET", ""))


def _check(environment: str) -> None:
    for name in [environment] if environment else environments():
        catalog.every(load(name))
        print(f"values of {name}: no problem found")
    if not environment:
        parity_of_all()


COMMANDS: dict[str, Callable[[str], None]] = {
    "backup": lambda environment: backup(target(environment)),
    "backups": lambda environment: backups(target(environment)),
    "check": _check,
    "down": lambda environment: down(target(environment)),
    "drift": lambda environment: drift(target(environment, changes_nothing=True)),
    "env": lambda _: env(),
    "images": _images,
    "local-down": lambda _: local_down(),
    "local-up": lambda environment: local_up(target(environment, changes_nothing=True)),
    "parity": lambda _: parity(),
    "password": lambda environment: print(password(target(environment))),
    "policies": _policies,
    "preview": _preview,
    "promote": _promote,
    "prune": _prune,
    "render": _render,
    "restore": lambda environment: from_variables(target(environment)),
    "smoke": lambda environment: smoke(target(environment)),
    "smoke-once": _smoke_once,
    "status": _status,
    "task": lambda environment: task(target(environment, changes_nothing=True)),
    "up": lambda environment: up(target(environment)),
    "upgrade": lambda environment: upgrade(target(environment)),
}

if __name__ == "__main__":
    sys.exit(main())
