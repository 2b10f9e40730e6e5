"""Names of objects in objects: each of them exists, or somebody else makes it."""

from collections.abc import Iterator
from typing import Any

from ..comparison.leaves import Path
from ..kubernetes.manifest import Manifest
from .rule import Finding, Subject, rule
from .workloads import Container, Workload, workloads

Named = tuple[Path, str, dict[str, Any], str | None]
"""Path to what names an object, the object's kind, what names it (with `name`), a key of it."""


@rule(
    fix="correct the name, or add the object; one that somebody else makes is named in the values",
    whole=True,
)
def reference_exists(subject: Subject) -> Iterator[Finding]:
    """A pod that asks for what is not there waits for ever, and a rollout with it."""
    there = {(obj["kind"], obj["metadata"]["name"]): obj for obj in subject.objects}
    for obj, (path, kind, named, key) in _all_named(subject):
        name = named.get("name", "")
        if named.get("optional") or (kind, name) in subject.outside:
            continue
        found = there.get((kind, name))
        if found is None:
            yield Finding(obj, path, f"there is no {kind} {name}")
        elif key is not None and key not in _keys(found):
            yield Finding(obj, path, f"{kind} {name} has no key {key}")


@rule(fix="make the selector equal to the pods' labels", whole=True)
def selector_matches(subject: Subject) -> Iterator[Finding]:
    """A Service that selects no pod refuses every connection, and nothing else tells."""
    pods = [workload.labels.items() for workload in workloads(subject.objects)]
    for obj in subject.objects:
        if obj["kind"] == "Service":
            selector = obj["spec"].get("selector") or {}
            if selector and not any(selector.items() <= labels for labels in pods):
                yield Finding(obj, ("spec", "selector"), "selects no pod")


def _all_named(subject: Subject) -> Iterator[tuple[Manifest, Named]]:
    for workload in workloads(subject.objects):
        for path, kind, named, key in _of_pod(workload):
            yield workload.obj, ((*workload.path, "spec", *path), kind, named, key)
        for container in workload.containers():
            for path, kind, named, key in _of_container(container):
                yield workload.obj, ((*container.path, *path), kind, named, key)
    for obj in subject.objects:
        for one in _of_object(obj):
            yield obj, one


def _of_pod(workload: Workload) -> Iterator[Named]:
    pod = workload.pod
    if name := pod.get("serviceAccountName"):
        yield ("serviceAccountName",), "ServiceAccount", {"name": name}, None
    for one in pod.get("imagePullSecrets") or []:
        yield ("imagePullSecrets", f"[{one['name']}]"), "Secret", one, None
    for volume in pod.get("volumes") or []:
        path = ("volumes", f"[{volume['name']}]")
        yield from _of_volume(path, volume)
        for source in (volume.get("projected") or {}).get("sources") or []:
            yield from _of_volume((*path, "projected"), source)


def _of_volume(path: Path, volume: dict[str, Any]) -> Iterator[Named]:
    for field, kind, key in (
        ("configMap", "ConfigMap", "name"),
        ("secret", "Secret", "secretName"),
        ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
    ):
        if source := volume.get(field):
            # A projected volume's sources say `name` for Secrets too.
            named = {**source, "name": source.get(key) or source.get("name")}
            yield (*path, field), kind, named, None
            for item in source.get("items") or []:
                yield (*path, field, "items"), kind, named, item["key"]


def _of_container(container: Container) -> Iterator[Named]:
    for item in container.spec.get("env") or []:
        source = item.get("valueFrom") or {}
        for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            if named := source.get(field):
                path = ("env", f"[{item['name']}]", "valueFrom", field)
                yield path, kind, named, named["key"]
    for number, item in enumerate(container.spec.get("envFrom") or []):
        for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
            if named := item.get(field):
                yield ("envFrom", f"[{number}]", field), kind, named, None


def _of_object(obj: Manifest) -> Iterator[Named]:
    if obj["kind"] == "HorizontalPodAutoscaler":
        target = obj["spec"]["scaleTargetRef"]
        yield ("spec", "scaleTargetRef"), target["kind"], target, None
    elif obj["kind"] == "StatefulSet" and (name := obj["spec"].get("serviceName")):
        yield ("spec", "serviceName"), "Service", {"name": name}, None
    elif obj["kind"] in ("RoleBinding", "ClusterRoleBinding"):
        yield ("roleRef",), obj["roleRef"]["kind"], obj["roleRef"], None
        for one in obj.get("subjects") or []:
            if one["kind"] == "ServiceAccount":
                yield ("subjects", f"[{one['name']}]"), "ServiceAccount", one, None


def _keys(obj: Manifest) -> set[str]:
    return {key for field in ("data", "binaryData", "stringData") for key in obj.get(field) or {}}


RULES = (reference_exists, selector_matches)
