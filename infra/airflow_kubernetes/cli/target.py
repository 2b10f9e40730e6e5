"""The environment that a command works on."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import yaml

from .. import environment as environments
from ..console import say
from ..errors import CommandError
from ..kubectl.client import Kubectl
from ..kubectl.foundation import engine_of
from ..paths import ROOT
from ..rules import warnings
from ..settings.marks import SANDBOX
from ..settings.schema import Settings
from . import pulumi_cli


@dataclass(frozen=True)
class Target:
    """An environment's name, the overrides of one command, and the settings that result.

    `overrides` is `section.key=value …`.
    """

    environment: str
    overrides: str
    settings: Settings

    @classmethod
    def load(cls, environment: str, overrides: str = "", *, read_only: bool = False) -> Self:
        """The target with its settings from values/; prints their warnings.

        `read_only` commands change nothing. Raises SettingsError, and CommandError for overrides of
        a real environment in any other command.
        """
        if overrides and environment != SANDBOX and not read_only:
            raise CommandError(
                "SET is for one command, and outside the sandbox for those that change nothing; "
                f"write the values into values/{environment}.yaml"
            )
        settings = environments.load(environment, overrides)
        for warning in warnings(settings):
            say(f"warning: {warning}")
        return cls(environment, overrides, settings)

    @cached_property
    def kubectl(self) -> Kubectl:
        """The environment's cluster, which has answered.

        Raises CommandError if none is named, KubectlError if it does not answer.
        """
        kubectl = Kubectl(_context(self.environment), self.settings.namespace)
        kubectl.reach()
        return kubectl


def engine(target: Target) -> str:
    """Pulumi or kubectl, as the values say or the namespace records. Raises CommandError.

    If both leave it open, it is Pulumi where its CLI is.
    """
    configured, recorded = target.settings.engine, engine_of(target.kubectl)
    if configured != "auto":
        if recorded not in (None, configured):
            raise CommandError(
                f"namespace {target.settings.namespace} was made by the engine {recorded}, the "
                f"values say {configured}. A second engine would make new passwords for the old "
                f"data: set engine: {recorded} in values/{target.environment}.yaml"
            )
        return configured
    if recorded:
        return recorded
    return "pulumi" if pulumi_cli.find() else "kubectl"


def _context(environment: str) -> str:
    file = ROOT / f"Pulumi.{environment}.yaml"
    key = "kubernetes:context"
    if file.exists():
        config = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("config") or {}
        if config.get(key):
            return str(config[key])
    raise CommandError(
        f"{file.name} names no cluster: add `{key}: <context>` under config "
        "(`kubectl config get-contexts` lists them)"
    )
