"""Everything among objects that starts pods, with its pod spec, its containers and their paths."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from ..airflow.task_pod import TEMPLATE_CONFIG_MAP, TEMPLATE_KEY
from ..comparison.leaves import Path
from ..kubernetes.manifest import Manifest
from .rule import Finding

UNKNOWN = "[unknown]"
"""Stands for a value that an engine does not know before it has deployed: no rule judges it."""

POD: dict[str, Path] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""By kind: where the pod is."""

TEMPLATE: Path = ("data", TEMPLATE_KEY)
"""Where KubernetesExecutor's template of task pods is, in its ConfigMap."""

LONG_RUNNING = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")


@dataclass(frozen=True)
class Container:
    """A container of a pod. `init` ones end before the others start, unless they are `sidecar`s.

    https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
    """

    workload: "Workload"
    path: Path
    spec: dict[str, Any]
    init: bool

    @property
    def name(self) -> str:
        """Of the container."""
        return str(self.spec["name"])

    @property
    def sidecar(self) -> bool:
        """Whether it starts before the containers and goes on beside them."""
        return self.init and self.spec.get("restartPolicy") == "Always"

    @property
    def security(self) -> dict[str, Any]:
        """Its securityContext."""
        return self.spec.get("securityContext") or {}

    def finding(self, message: str, *path: str) -> Finding:
        """Something wrong at `path` below the container."""
        return Finding(self.workload.obj, (*self.path, *path), message)


@dataclass(frozen=True)
class Workload:
    """An object that starts pods; `path` leads to the pod in it and `pod` is the pod's spec."""

    obj: Manifest
    path: Path
    metadata: dict[str, Any]
    pod: dict[str, Any]

    @property
    def template(self) -> bool:
        """Whether it is the template of task pods, a file in a ConfigMap."""
        return str(self.obj["kind"]) == "ConfigMap"

    @property
    def long_running(self) -> bool:
        """Whether its pods go on until somebody stops them."""
        return self.obj["kind"] in LONG_RUNNING

    @property
    def security(self) -> dict[str, Any]:
        """The pod's securityContext."""
        return self.pod.get("securityContext") or {}

    @property
    def labels(self) -> dict[str, str]:
        """Of its pods."""
        return self.metadata.get("labels") or {}

    def containers(self) -> Iterator[Container]:
        """Init containers first, as Kubernetes starts them."""
        for key in ("initContainers", "containers"):
            for spec in self.pod.get(key) or []:
                path = (*self.path, "spec", key, f"[{spec['name']}]")
                yield Container(self, path, spec, key == "initContainers")

    def finding(self, message: str, *path: str) -> Finding:
        """Something wrong at `path` below the pod's spec."""
        return Finding(self.obj, (*self.path, "spec", *path), message)


def workloads(objects: Iterable[Manifest]) -> Iterator[Workload]:
    """Every object that starts pods, and KubernetesExecutor's template of task pods."""
    for obj in objects:
        if obj["kind"] == "ConfigMap" and obj["metadata"]["name"] == TEMPLATE_CONFIG_MAP:
            text = (obj.get("data") or {}).get(TEMPLATE_KEY, UNKNOWN)
            if text == UNKNOWN:
                continue
            path, pod = TEMPLATE, _parsed(text)
        elif obj["kind"] in POD:
            path, pod = POD[obj["kind"]], obj
            for key in path:
                pod = pod[key]
        else:
            continue
        yield Workload(obj, path, pod.get("metadata") or {}, pod.get("spec") or {})


def containers(objects: Iterable[Manifest]) -> Iterator[Container]:
    """Every container of every workload."""
    for workload in workloads(objects):
        yield from workload.containers()


@lru_cache
def _parsed(text: str) -> dict[str, Any]:
    """Each rule reads the same template; nobody changes what it says."""
    pod: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return pod
