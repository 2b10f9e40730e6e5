"""Pods that pass Pod Security `restricted`: contexts, probes, volumes, resources.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

import hashlib
import json
from typing import Any

from ..settings.schema import Resources, Settings

PULL_SECRET = "airflow-registry"
"""The Secret that nodes log in to the registry with, where it is made of the builds' login."""

IGNORE_DISRUPTION: dict[str, Any] = {
    "rules": [
        {
            "action": "Ignore",
            "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
        }
    ]
}
"""A Job's podFailurePolicy: a pod that a drained node took away has not failed."""


def checksum(*content: Any) -> str:
    """16 hexadecimal digits over plain data. Never give it an Output: a preview could not know."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def pod_security(uid: int, gid: int, fs_group: int) -> dict[str, Any]:
    """A pod's securityContext: the given ids, default seccomp profile."""
    return {
        "runAsNonRoot": True,
        "runAsUser": uid,
        "runAsGroup": gid,
        "fsGroup": fs_group,
        # A volume with many files is not walked at every start, only when its root is wrong.
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> dict[str, Any]:
    """A container's securityContext: no privileges, read-only root file system."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def resources(wanted: Resources) -> dict[str, Any]:
    """Settings' resources as a container's."""
    return wanted.model_dump()


def pull_secret(settings: Settings) -> str | None:
    """The Secret to pull images with, if the registry wants a login."""
    return PULL_SECRET if makes_pull_secret(settings) else settings.images.pull_secret


def makes_pull_secret(settings: Settings) -> bool:
    """Whether that Secret is made of the builds' login; one that the values name goes first."""
    return settings.images.login and settings.images.pull_secret is None


def pull_secrets(settings: Settings) -> dict[str, Any]:
    """A pod spec's part that lets it pull from a registry with a login, if one is set."""
    name = pull_secret(settings)
    return {} if name is None else {"imagePullSecrets": [{"name": name}]}


def scratch(name: str, path: str, size: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A bounded emptyDir and its mount, for the few writable places of a read-only root."""
    return (
        {"name": name, "emptyDir": {"sizeLimit": size}},
        {"name": name, "mountPath": path},
    )


def plain_env(values: dict[str, str]) -> list[dict[str, Any]]:
    """Environment variables with plain values, in the given order."""
    return [{"name": name, "value": value} for name, value in values.items()]


def secret_env(name: str, secret: str, key: str) -> dict[str, Any]:
    """An environment variable read from a Secret's key."""
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def probe(
    action: dict[str, Any], *, period: int, failures: int, timeout: int = 5
) -> dict[str, Any]:
    """A probe every `period` seconds that gives up after `failures` in a row."""
    return {
        **action,
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }


def http(path: str, port: int) -> dict[str, Any]:
    """The action of an HTTP probe."""
    return {"httpGet": {"path": path, "port": port}}


def execute(*command: str) -> dict[str, Any]:
    """The action of a probe that runs a command in the container."""
    return {"exec": {"command": list(command)}}
