"""The objects that an object names: it cannot work before they exist."""

from collections.abc import Iterator
from typing import Any

from .manifest import Manifest

KINDS = {
    "authenticationRef": "TriggerAuthentication",
    "configMap": "ConfigMap",
    "configMapKeyRef": "ConfigMap",
    "configMapRef": "ConfigMap",
    "imagePullSecrets": "Secret",
    "nodePublishSecretRef": "Secret",
    "persistentVolumeClaim": "PersistentVolumeClaim",
    "roleRef": "Role",
    "scaleTargetRef": "Deployment",
    "secret": "Secret",
    "secretKeyRef": "Secret",
    "secretRef": "Secret",
    "secretTargetRef": "Secret",
    "serviceAccountName": "ServiceAccount",
    "serviceName": "Service",
    "subjects": "ServiceAccount",
}
"""The kind of what a field names, unless the field says it."""

NAMES = ("name", "secretName", "claimName")
"""Where a field that is a mapping has the name."""


def references(obj: Manifest) -> set[tuple[str, str]]:
    """Kind and name of every object that `obj` names, whether it exists or not."""
    return set(_references(obj))


def _references(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        for key, field in value.items():
            if key in KINDS:
                yield from _named(KINDS[key], field)
            yield from _references(field)


def _named(kind: str, field: Any) -> Iterator[tuple[str, str]]:
    if isinstance(field, str):
        yield kind, field
    for item in field if isinstance(field, list) else [field]:
        if isinstance(item, dict):
            yield from ((item.get("kind", kind), item[name]) for name in NAMES if name in item)
