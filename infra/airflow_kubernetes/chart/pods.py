"""Parts of pods as the chart has them, Kubernetes' own lists, in this program's shorter form."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

from .result import Result

Rule = Callable[[Result, str, Any], None]
"""Puts the value of a chart's key into a result, or notes what to do instead."""

MANUALLY = "has another form here, to be written manually: see docs/values.md"
UNLIKE = "not what the chart takes"
OPTION = "AIRFLOW__"


def env(section: str) -> Rule:
    """The rule of a list of variables for a section; options of Airflow go where those are."""

    def rule(result: Result, source: str, items: Any) -> None:
        for item in _list(result, source, items):
            name = str(item.get("name", ""))
            value = _variable(item)
            if value is None:
                result.note(f"{source}.{name}", "a source of values that there is not here")
            elif name.startswith(OPTION) and name.count("__") >= 2:
                group, _, option = name.removeprefix(OPTION).lower().partition("__")
                result.set(f"airflow.configuration.{group}.{option}", value, f"{source}.{name}")
                if section != "pods":
                    result.note(f"{source}.{name}", "an option of Airflow: of all components here")
            else:
                result.set(f"{section}.env", {name: value}, source)

    return rule


def secrets(section: str) -> Rule:
    """The rule of the chart's list `secret`: variables from Secrets."""

    def rule(result: Result, source: str, items: Any) -> None:
        entries = [
            {
                "name": item.get("envName"),
                "valueFrom": {
                    "secretKeyRef": {"name": item.get("secretName"), "key": item.get("secretKey")}
                },
            }
            for item in _list(result, source, items)
        ]
        env(section)(result, source, entries)

    return rule


def env_from(section: str) -> Rule:
    """The rule of `extraEnvFrom`, a text with a list of Secrets and ConfigMaps."""

    def rule(result: Result, source: str, items: Any) -> None:
        for item in _list(result, source, items):
            given: dict[str, Any] = {}
            for ref, kind in (("secretRef", "secret"), ("configMapRef", "configMap")):
                if isinstance(item.get(ref), Mapping):
                    given[kind] = item[ref].get("name")
                    if item[ref].get("optional"):
                        given["optional"] = True
            if item.get("prefix"):
                given["prefix"] = item["prefix"]
            result.set(f"{section}.envFrom", [given], source)

    return rule


def volumes(section: str) -> Rule:
    """The rule of a list of volumes: those without a counterpart are noted."""

    def rule(result: Result, source: str, items: Any) -> None:
        for item in _list(result, source, items):
            given = _source(item)
            if given is None:
                kinds = ", ".join(key for key in item if key != "name")
                result.note(f"{source}.{item.get('name')}", f"a volume of {kinds}: {MANUALLY}")
            else:
                result.set(f"{section}.volumes", [{"name": item.get("name"), **given}], source)

    return rule


def mounts(section: str) -> Rule:
    """The rule of a list of mounts. Kubernetes mounts for writing unless it says other."""

    def rule(result: Result, source: str, items: Any) -> None:
        for item in _list(result, source, items):
            if item.get("subPathExpr"):
                result.note(f"{source}.{item.get('name')}", "subPathExpr does not exist here")
                continue
            mount = {key: item[key] for key in ("name", "mountPath", "subPath") if key in item}
            mount["readOnly"] = bool(item.get("readOnly"))
            result.set(f"{section}.volumeMounts", [mount], source)

    return rule


def _variable(item: Mapping[str, Any]) -> str | dict[str, Any] | None:
    """The value of a variable, or where it is; None for a source that there is not here."""
    if "valueFrom" not in item:
        return str(item.get("value", ""))
    origin = item["valueFrom"] if isinstance(item["valueFrom"], Mapping) else {}
    for ref, kind in (("secretKeyRef", "secret"), ("configMapKeyRef", "configMap")):
        if isinstance(origin.get(ref), Mapping):
            return {kind: origin[ref].get("name"), "key": origin[ref].get("key")}
    if isinstance(origin.get("fieldRef"), Mapping):
        return {"field": origin["fieldRef"].get("fieldPath")}
    return None


def _source(item: Mapping[str, Any]) -> dict[str, Any] | None:
    """The source of a volume here; None if it has another form."""
    for kind, (name, key) in {
        "configMap": ("name", "configMap"),
        "secret": ("secretName", "secret"),
        "persistentVolumeClaim": ("claimName", "claim"),
        "emptyDir": ("sizeLimit", "emptyDir"),
    }.items():
        source = item.get(kind)
        if isinstance(source, Mapping) and {*source} <= {name, "readOnly"} and source.get(name):
            return {key: source[name]}
    return None


def _list(result: Result, source: str, items: Any) -> Iterator[Mapping[str, Any]]:
    """The mappings of a list; the chart also takes a text with the list, and a mapping by name."""
    if isinstance(items, str):
        try:
            items = yaml.safe_load(items)
        except yaml.YAMLError:  # a template
            items = None
    if isinstance(items, Mapping):
        items = [{"name": name, "value": value} for name, value in items.items()]
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        result.note(source, UNLIKE)
        return
    yield from items
