"""The Secret that nodes pull images with, made from the login that builds use."""

from typing import Any

from ..kubernetes.manifest import Manifest, manifest
from ..kubernetes.namespace import LAUNCHED, tasks_namespace
from ..kubernetes.pull_secret import LAUNCHED_PULL_SECRET, PULL_SECRET
from ..settings.schema import Settings


def pull_secret(settings: Settings, config: Any) -> Manifest:
    """The Secret; `config` is a `registry.login.docker_config`, or Pulumi's Output of one.

    https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets
    """
    return manifest(
        "v1",
        "Secret",
        PULL_SECRET,
        settings.namespace,
        "registry",
        protected=True,
        type="kubernetes.io/dockerconfigjson",
        stringData={".dockerconfigjson": config},
    )


def launched_pull_secret(settings: Settings, config: Any) -> Manifest:
    """Its copy for the pods that tasks launch. Not protected: it is made again from the other."""
    obj = pull_secret(settings, config)
    return manifest(
        "v1",
        "Secret",
        LAUNCHED_PULL_SECRET,
        tasks_namespace(settings.namespace),
        LAUNCHED,
        type=obj["type"],
        stringData=obj["stringData"],
    )
