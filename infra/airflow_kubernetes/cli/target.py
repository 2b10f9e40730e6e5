"""The environment that a command works on."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from .. import environment as environments
from ..console import say
from ..errors import CommandError
from ..kubectl.client import Kubectl
from ..kubectl.foundation import engine_of
from ..paths import ROOT
from ..rules import warnings
from ..settings import stack_file
from ..settings.marks import SANDBOX
from ..settings.schema import Settings
from ..settings.stack_file import CONTEXT
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
        kubectl = Kubectl(context(self.environment), self.settings.namespace)
        kubectl.reach()
        return kubectl


def engine(target: Target) -> str:
    """Pulumi or kubectl, as the values say or the namespace records. Raises CommandError.

    If both leave it open, it is Pulumi where its CLI is.
    """
    configured, recorded = target.settings.engine, engine_of(target.kubectl)
    if configured != "auto":
        if recorded not in (None, configured):
            adopt = f", or run make adopt ENV={target.environment}" if recorded == "kubectl" else ""
            raise CommandError(
                f"namespace {target.settings.namespace} was made by the engine {recorded}, the "
                f"values say {configured}. A second engine would make new passwords for the old "
                f"data: set engine: {recorded} in values/{target.environment}.yaml{adopt}"
            )
        return configured
    if recorded:
        return recorded
    return "pulumi" if pulumi_cli.find() else "kubectl"


def kubectl_of(target: Target) -> str:
    """The beginning of a kubectl command that a message advises: for this cluster and namespace."""
    return f"kubectl --context {target.kubectl.context} -n {target.settings.namespace}"


def context(environment: str) -> str:
    """The kubeconfig context that Pulumi.<env>.yaml names.

    Raises SettingsError for a wrong file, CommandError if it names none or does not exist.
    """
    file = ROOT / f"Pulumi.{environment}.yaml"
    stack = stack_file.read(environment, ROOT).data if file.exists() else {}
    config = stack.get("config") or {}
    if not config.get(CONTEXT):
        raise CommandError(
            f"{file.name} names no cluster: add `{CONTEXT}: <context>` under config "
            "(`kubectl config get-contexts` lists them)"
        )
    context: str = config[CONTEXT]
    return context
