"""Environment variables of a container, as plain data."""

from collections.abc import Mapping
from typing import Any

EnvVar = dict[str, Any]


def plain_env(values: Mapping[str, str]) -> tuple[EnvVar, ...]:
    """Variables with plain values, in the given order."""
    return tuple({"name": name, "value": value} for name, value in values.items())


def secret_env(name: str, secret: str, key: str) -> EnvVar:
    """A variable read from a Secret's key."""
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def config_map_env(config_map: str) -> dict[str, Any]:
    """All keys of a ConfigMap as variables: an item of `envFrom`."""
    return {"configMapRef": {"name": config_map}}


def optional_env(name: str, config_map: str, key: str) -> EnvVar:
    """A variable read from a ConfigMap's key; not set while that does not exist."""
    source = {"name": config_map, "key": key, "optional": True}
    return {"name": name, "valueFrom": {"configMapKeyRef": source}}
