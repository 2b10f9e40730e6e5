"""The objects that start pods, the fields of their pods by pattern, and rules about those alone."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from ..airflow.task_pod import TEMPLATE_CONFIG_MAP, TEMPLATE_KEY
from ..comparison.leaves import Path
from ..kubernetes.manifest import Manifest
from .rule import Finding, Rule, Subject

UNKNOWN = "[unknown]"
"""A value that the engine does not know before it has deployed; no rule judges it."""

LONG_RUNNING = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
POD: dict[str, Path] = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
} | dict.fromkeys(("Job", *LONG_RUNNING), ("spec", "template"))
"""The path of the pod, by kind."""

Allowed = Callable[[Any], bool]
"""Whether a field may have a value; None where the field is missing."""


@dataclass(frozen=True)
class Workload:
    """An object that starts pods: the pod's path in the object, its metadata and its spec."""

    obj: Manifest
    path: Path
    metadata: dict[str, Any]
    pod: dict[str, Any]

    @property
    def template(self) -> bool:
        """Whether it is KubernetesExecutor's template of task pods, a file in a ConfigMap."""
        return str(self.obj["kind"]) == "ConfigMap"

    @property
    def long_running(self) -> bool:
        """Whether its pods run until they are stopped."""
        return self.obj["kind"] in LONG_RUNNING

    def finding(self, message: str, *path: str) -> Finding:
        """A finding at `path` in the pod's spec."""
        return Finding(self.obj, self.path_of(path), message)

    def path_of(self, path: Path) -> Path:
        """The path in the object that leads to a path in the pod's spec."""
        return (*self.path, "spec", *path)


def workloads(objects: Iterable[Manifest]) -> Iterator[Workload]:
    """Every object that starts pods, and KubernetesExecutor's template of task pods."""
    for obj in objects:
        if obj["kind"] == "ConfigMap" and obj["metadata"]["name"] == TEMPLATE_CONFIG_MAP:
            path: Path = ("data", TEMPLATE_KEY)
            text = (obj.get("data") or {}).get(TEMPLATE_KEY, UNKNOWN)
            pod = {} if text == UNKNOWN else _parsed(text)
        else:
            path = POD.get(obj["kind"], ())
            pod = obj if obj["kind"] in POD else {}
            for key in path:
                pod = pod[key]
        if pod:
            yield Workload(obj, path, pod.get("metadata") or {}, pod.get("spec") or {})


def pod_fields(objects: Iterable[Manifest], *patterns: str) -> Iterator[tuple[Workload, Path, Any]]:
    """The fields of all pods' specs that match: workload, path in the spec, value (see select)."""
    for workload in workloads(objects):
        for pattern in patterns:
            for path, value in select(workload.pod, pattern):
                yield workload, path, value


def select(value: Any, pattern: str) -> Iterator[tuple[Path, Any]]:
    """Path and value of each field that a pattern matches: `containers[*].ports[*].hostPort`.

    The notation is that of the Pod Security Standards. `containers[*]` includes init containers,
    a final `*` yields the keys of a mapping. A missing field is None, a missing list is empty.
    """
    key, _, rest = pattern.partition(".")
    if key == "*":
        yield from (((name,), name) for name in value or ())
        return
    for path, field in _fields(value if isinstance(value, dict) else {}, key):
        if rest:
            yield from ((path + below, leaf) for below, leaf in select(field, rest))
        else:
            yield path, field


def one_of(*values: Any) -> Allowed:
    """Allow the given values."""
    return lambda value: value in values


UNSET = one_of(None, False, "")
"""Allow only a field that is missing, false, 0 or empty."""


def field_rule(
    name: str,
    why: str,
    fix: str,
    fields: Mapping[str, Allowed],
    *,
    source: str,
    inherited: bool = False,
) -> Rule:
    """A rule that all fields of some patterns have allowed values.

    With `inherited`, a container without the field has its pod's value.
    """

    def check(subject: Subject) -> Iterator[Finding]:
        for pattern, allowed in fields.items():
            for workload, path, value in pod_fields(subject.objects, pattern):
                if value is None and inherited:
                    ((_, value),) = select(workload.pod, pattern.removeprefix("containers[*]."))
                if value != UNKNOWN and not allowed(value):
                    shown = value if isinstance(value, str) else json.dumps(value)
                    yield workload.finding("is not set" if value is None else f"is {shown}", *path)

    return Rule(name, why, fix, source, check)


def _fields(mapping: dict[str, Any], key: str) -> Iterator[tuple[Path, Any]]:
    name = key.removesuffix("[*]")
    if name == key:
        yield (key,), mapping.get(key)
        return
    for field in ("initContainers", "containers") if name == "containers" else (name,):
        for position, item in enumerate(mapping.get(field) or []):
            yield (field, f"[{item.get('name', item.get('containerPort', position))}]"), item


@lru_cache
def _parsed(text: str) -> dict[str, Any]:
    """The parsed template, shared by all rules: none of them changes it."""
    pod: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return pod
