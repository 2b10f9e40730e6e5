"""The Secret that nodes pull images with, made from the login that builds use."""

from typing import Any

from ..kubernetes.manifest import Manifest, manifest
from ..kubernetes.pull_secret import PULL_SECRET
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
