"""The objects of an environment, rendered in this process, and where tests look in them."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml
from airflow_kubernetes import render

Object = dict[str, Any]
Objects = dict[str, Object]


@cache
def objects(overrides: str = "", environment: str = "dev") -> Objects:
    """Every object by kind and name: "Deployment/airflow-scheduler". Tests must not change them."""
    return {
        f"{obj['kind']}/{obj['metadata']['name']}": obj
        for obj in render.objects(environment, overrides)
    }


def of_kind(rendered: Objects, kind: str) -> list[Object]:
    return [obj for obj in rendered.values() if obj["kind"] == kind]


def templates(rendered: Objects) -> Iterator[tuple[str, Object]]:
    """Name and pod template of everything that starts pods: "scheduler", "pod-template".

    A Job's hash is left out.
    """
    for obj in rendered.values():
        name = obj["metadata"]["name"].removeprefix("airflow-")
        if obj["kind"] in ("Deployment", "StatefulSet"):
            yield name, obj["spec"]["template"]
        elif obj["kind"] == "Job":
            yield name.rpartition("-")[0], obj["spec"]["template"]
        elif obj["kind"] == "CronJob":
            yield name, obj["spec"]["jobTemplate"]["spec"]["template"]
        elif name == "pod-template":
            yield name, yaml.safe_load(obj["data"]["pod_template.yaml"])


def pods(rendered: Objects) -> Objects:
    """The pod specs by the name of what starts them."""
    return {name: template["spec"] for name, template in templates(rendered)}


def containers(pod: Object) -> list[Object]:
    """Init containers and containers of a pod spec."""
    return [*pod.get("initContainers", []), *pod["containers"]]


def init(pod: Object) -> list[str]:
    """The names of a pod spec's init containers."""
    return [container["name"] for container in pod.get("initContainers", [])]


def env(container: Object) -> dict[str, Any]:
    """The container's variables: a value, or where it comes from."""
    return {item["name"]: item.get("value", item.get("valueFrom")) for item in container["env"]}
