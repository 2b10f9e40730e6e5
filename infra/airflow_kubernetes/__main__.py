"""The command line behind the Makefile: `python -m airflow_kubernetes <command> <environment>`."""

import argparse
import os
import sys
from collections.abc import Callable

import yaml

from .cli.backup import backup, backups
from .cli.down import down
from .cli.drift import drift
from .cli.env import env
from .cli.local import local_down, local_up
from .cli.parity import parity, parity_of_all
from .cli.preview import preview
from .cli.rest import RestError, password
from .cli.restore import from_variables
from .cli.smoke import smoke
from .cli.target import Target, target
from .cli.task import task
from .cli.up import print_access, up
from .cli.upgrade import upgrade
from .environment import load
from .errors import CommandError
from .images import build, catalog
from .images.failures import BuildError
from .images.lock import LockError
from .images.lock_history import HistoryError
from .kubectl.apply import RolloutError
from .kubectl.client import KubectlError
from .kubectl.foundation import FoundationError
from .local.engine import EngineError
from .policies.waivers import WaiversError
from .registry.login import LoginError
from .registry.reference import RegistryError
from .render import objects
from .report.checkout import CheckoutError
from .settings.load import environments
from .settings.problems import SettingsError

EXPECTED = (
    BuildError, CheckoutError, CommandError, EngineError, FoundationError, HistoryError,
    KubectlError, LockError, LoginError, RegistryError, RestError, RolloutError, SettingsError,
    WaiversError,
)  # fmt: skip
"""Errors whose message is all that a user needs."""


def main() -> int:
    """Run one command; 0 if it did what it says, else 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="airflow_kubernetes", description=__doc__)
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
    from .cli.promote import promote

    promote(target(environment), os.environ.get("TO", ""))


def _prune(environment: str) -> None:
    from .cli.prune import DAYS, prune

    keep = os.environ.get("KEEP") or str(DAYS)
    if not keep.isdigit():
        raise CommandError(f"KEEP={keep}: a number of days, such as KEEP={DAYS}")
    prune(target(environment), int(keep), apply=os.environ.get("APPLY") == "1")


def _preview(environment: str) -> None:
    base = os.environ.get("BASE", "")
    if not base:
        preview(target(environment, changes_nothing=True))
        return
    from .cli.report import report

    report(base, [environment] if environment else [], os.environ.get("REPORT", ""))


def _policies(environment: str) -> None:
    from .cli.policies import policies

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
