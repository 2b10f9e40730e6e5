"""The environment that a command works on."""

import os
import sys
from dataclasses import dataclass
from functools import cached_property

import yaml

from ..environment import load
from ..errors import CommandError
from ..images.specs import ROOT
from ..kubectl.client import Kubectl
from ..kubectl.foundation import engine_of
from ..rules import warnings
from ..settings.marks import SANDBOX
from ..settings.schema import Settings
from . import pulumi_cli


@dataclass(frozen=True)
class Target:
    """An environment's name, one command's overrides, its settings and its cluster."""

    environment: str
    overrides: str
    settings: Settings

    @cached_property
    def kubectl(self) -> Kubectl:
        """The environment's cluster. Raises CommandError if none is named."""
        return Kubectl(_context(self.environment), self.settings.namespace)


def target(environment: str, *, changes_nothing: bool = False) -> Target:
    """The environment's target; overrides come from the variable SET.

    Raises SettingsError, and CommandError for overrides of a real environment in a command that
    could change something.
    """
    overrides = os.environ.get("SET", "")
    if overrides and environment != SANDBOX and not changes_nothing:
        raise CommandError(
            "SET is for one command, and outside the sandbox only for render and preview; write "
            f"the values into values/{environment}.yaml"
        )
    settings = load(environment, overrides)
    for warning in warnings(settings):
        print(f"warning: {warning}", file=sys.stderr)
    return Target(environment, overrides, settings)


def _context(environment: str) -> str:
    file = ROOT / f"Pulumi.{environment}.yaml"
    key = "kubernetes:context"
    if file.exists():
        config = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("config") or {}
        if config.get(key):
            return str(config[key])
    raise CommandError(
        f"{file.name} names no cluster: add `{key}: <context>` under config "
        "(see `kubectl config get-contexts`)"
    )


def engine(here: Target) -> str:
    """Pulumi or kubectl, as the values say and the namespace records. Raises CommandError."""
    wanted, recorded = here.settings.engine, engine_of(here.kubectl)
    if wanted == "auto":
        return recorded or _available()
    if recorded not in (None, wanted):
        raise CommandError(
            f"namespace {here.settings.namespace} was made by the engine {recorded}, the values "
            f"say {wanted}. A second engine would make new passwords beside the old data: set "
            f"engine: {recorded} in values/{here.environment}.yaml"
        )
    return wanted


def _available() -> str:
    if pulumi_cli.install():
        return "pulumi"
    print("no Pulumi CLI here, and none could be installed: kubectl is the engine", file=sys.stderr)
    return "kubectl"
