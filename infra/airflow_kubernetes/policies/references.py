"""Rules about references: each object that another names exists, in this program or outside."""

from collections.abc import Iterator

from ..comparison.leaves import Path
from ..kubernetes.manifest import Manifest
from ..settings.schema import Settings
from ..settings.sections import named
from .rule import Finding, Subject, rule
from .workloads import pod_fields, select, workloads

Reference = tuple[str, str]
"""Kind and name of an object."""

IN_PODS = {
    # Pattern: kind, and the key of the name; without a key, the field is the name.
    "serviceAccountName": ("ServiceAccount", ""),
    "imagePullSecrets[*]": ("Secret", "name"),
    "volumes[*].configMap": ("ConfigMap", "name"),
    "volumes[*].secret": ("Secret", "secretName"),
    "volumes[*].persistentVolumeClaim": ("PersistentVolumeClaim", "claimName"),
    "volumes[*].csi.nodePublishSecretRef": ("Secret", "name"),
    "volumes[*].projected.sources[*].configMap": ("ConfigMap", "name"),
    "volumes[*].projected.sources[*].secret": ("Secret", "name"),
    "containers[*].env[*].valueFrom.configMapKeyRef": ("ConfigMap", "name"),
    "containers[*].env[*].valueFrom.secretKeyRef": ("Secret", "name"),
    "containers[*].envFrom[*].configMapRef": ("ConfigMap", "name"),
    "containers[*].envFrom[*].secretRef": ("Secret", "name"),
}
IN_OBJECTS = {
    # Without a kind, the field says it.
    "spec.scaleTargetRef": ("", "name"),
    "spec.secretTargetRef[*]": ("Secret", "name"),
    "spec.triggers[*].authenticationRef": ("TriggerAuthentication", "name"),
    "spec.serviceName": ("Service", ""),
    "roleRef": ("", "name"),
    "subjects[*]": ("", "name"),
}


@rule(
    fix="correct the name, or add the object; if it is created elsewhere, name it in the values",
    whole_stack=True,
)
def reference_exists(subject: Subject) -> Iterator[Finding]:
    """A pod that requires a missing object never starts, and its rollout never ends."""
    objects = {(obj["kind"], obj["metadata"]["name"]): obj for obj in subject.objects}
    external = external_references(subject.settings)
    for obj, path, (kind, name), keys in _references(subject):
        if (kind, name) in external or kind in ("User", "Group"):
            continue
        if (kind, name) not in objects:
            yield Finding(obj, path, f"there is no {kind} {name}")
        else:
            for key in sorted(keys - _keys(objects[kind, name])):
                yield Finding(obj, path, f"{kind} {name} has no key {key}")


@rule(fix="make the selector equal to the pods' labels", whole_stack=True)
def selector_matches(subject: Subject) -> Iterator[Finding]:
    """A Service that selects no pod refuses every connection, and nothing else reports it."""
    pods = [(workload.metadata.get("labels") or {}) for workload in workloads(subject.objects)]
    for obj in subject.of_kind("Service"):
        selector = obj["spec"].get("selector") or {}
        if selector and not any(selector.items() <= labels.items() for labels in pods):
            yield Finding(obj, ("spec", "selector"), "selects no pod")


def external_references(settings: Settings) -> frozenset[Reference]:
    """The Secrets, ConfigMaps and claims that the values name and that are created elsewhere."""
    return frozenset((kind, name) for _, kind, name in named(settings))


def _references(subject: Subject) -> Iterator[tuple[Manifest, Path, Reference, set[str]]]:
    """Object and path of each required reference, its target, and the keys that it uses."""
    fields = [
        (workload.obj, workload.path_of(path), value, target)
        for pattern, target in IN_PODS.items()
        for workload, path, value in pod_fields(subject.objects, pattern)
    ] + [
        (obj, path, value, target)
        for pattern, target in IN_OBJECTS.items()
        for obj in subject.objects
        for path, value in select(obj, pattern)
    ]
    for obj, path, value, (kind, key) in fields:
        field = value if key else {"name": value}
        if value and not field.get("optional"):
            items = (field, *(field.get("items") or ()))
            keys = {item["key"] for item in items if "key" in item}
            yield obj, path, (field.get("kind", kind), field.get(key or "name", "")), keys


def _keys(obj: Manifest) -> set[str]:
    return {key for field in ("data", "binaryData", "stringData") for key in obj.get(field) or {}}
