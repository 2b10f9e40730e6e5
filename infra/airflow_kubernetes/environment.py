"""One environment: its settings from values/, its images, and the engine that deploys it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pulumi
import pulumi_docker_build as docker_build

from . import rules
from .airflow import image_catalog
from .errors import UserError
from .images import references
from .images.specs import ImageSpec
from .registry import login
from .settings import load as values
from .settings.load import VALUES
from .settings.marks import SANDBOX
from .settings.schema import Settings

SET = "AIRFLOW_KUBERNETES_SET"
"""Variable with `section.key=value …`, by which `make preview SET=…` reaches the program when the
Pulumi CLI runs it. A configuration key would be written into Pulumi.<stack>.yaml."""


@dataclass(frozen=True)
class Environment:
    """What the program is built from.

    `engine` is recorded on the namespace. `context` is the kubeconfig context of the cluster.
    `login` is the registry's, where `images.login` is set. `rendering` is true when no engine runs
    and only the objects are wanted: nothing is written to disk then.
    """

    name: str
    settings: Settings
    images: tuple[ImageSpec, ...]
    engine: Literal["pulumi", "kubectl"]
    context: str
    login: docker_build.RegistryArgs | None
    rendering: bool = False

    @property
    def warnings(self) -> Iterator[str]:
        """What works, but perhaps not as its name says."""
        return rules.warnings(self.settings)


def load(name: str, overrides: str = "", directory: Path = VALUES) -> Settings:
    """The settings of the environment `name`, checked by every rule.

    `overrides` is `section.key=value …` for one command. Raises SettingsError with every problem.
    """
    return values.load(name, overrides, directory, rules.problems)


def from_stack(name: str, config: pulumi.Config) -> Environment:
    """The environment of a Pulumi stack, which has its name. Raises UserError.

    Values that are overridden for one command are previewed only: what is deployed must be what
    values/ says.
    """
    overrides = os.environ.get(SET, "")
    if not pulumi.runtime.is_dry_run() and name != SANDBOX and overrides:
        raise UserError(
            "SET is for previews. Outside the sandbox, write the values into "
            f"values/{name}.yaml to deploy them"
        )
    settings = load(name, overrides)
    if settings.engine == "kubectl":
        raise UserError(f"values/{name}.yaml: the engine is kubectl; run make up ENV={name}")
    images = tuple(image_catalog.every(settings))
    obstacles = references.obstacles(settings, images)
    # Before anything is created. A preview goes on where `make up` itself removes the obstacle.
    if obstacles and not (settings.images.build and pulumi.runtime.is_dry_run()):
        raise UserError("\n".join(obstacles))
    for obstacle in obstacles:
        pulumi.log.warn(obstacle)
    return Environment(
        name,
        settings,
        images=images,
        engine="pulumi",
        context=pulumi.Config("kubernetes").require("context"),
        login=_login(settings, config.require_secret),
    )


def for_rendering(name: str, settings: Settings) -> Environment:
    """The environment when only its objects are wanted: no cluster and no password is known.

    The kubectl engine applies what is rendered, so it is the engine where the values leave it open.
    """
    return Environment(
        name,
        settings,
        images=tuple(image_catalog.every(settings)),
        engine="kubectl" if settings.engine == "auto" else settings.engine,
        context="rendered",
        login=_login(settings, lambda _: login.PLACEHOLDER),
        rendering=True,
    )


def _login(
    settings: Settings, read: Callable[[str], pulumi.Input[str]]
) -> docker_build.RegistryArgs | None:
    """The login that `images.login` requires; `read` gets a key of the stack's configuration."""
    if not settings.images.login:
        return None
    return docker_build.RegistryArgs(
        address=login.server(settings.images.registry),
        username=read("registryUsername"),
        password=read("registryPassword"),
    )
