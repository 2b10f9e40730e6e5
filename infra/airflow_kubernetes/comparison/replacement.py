"""Which field changes replace an object under Pulumi, and which the API server refuses.

The two differ in places. A field that Pulumi updates and the server refuses makes `up` fail under
both engines; a field that Pulumi replaces and the server would update costs an outage under Pulumi
alone. tests/cluster/test_changes.py proves the tables on a real cluster.
"""

from collections.abc import Sequence
from typing import Any

from ..kubernetes.manifest import Manifest
from ..secrets import ADMIN_SECRET, CELERY_SECRET, KEYS_SECRET, MYSQL_SECRET
from ..settings.quantities import amount
from .leaves import MISSING, Difference, Path

IDENTITY: tuple[Path, ...] = (("apiVersion",), ("metadata", "name"), ("metadata", "namespace"))
"""A change of these makes an object of any kind another object."""


def _spec(*fields: str) -> tuple[Path, ...]:
    return tuple(("spec", field) for field in fields)


REPLACING: dict[str, tuple[Path, ...]] = {
    "PersistentVolumeClaim": _spec("accessModes", "selector", "storageClassName", "volumeName"),
    "Secret": (("type",),),
    "RoleBinding": (("roleRef",),),
    "Service": _spec("clusterIP"),
    "StatefulSet": _spec(
        "podManagementPolicy", "revisionHistoryLimit", "selector", "serviceName",
        "volumeClaimTemplates",
    ),
    "Job": _spec("completions", "parallelism", "selector", "template"),
    "Deployment": _spec("selector"),
}  # fmt: skip
"""By kind: fields in which any change replaces the object under Pulumi, even from no value to the
server's default. Objects of other kinds are updated whatever changes.

Source: `forceNew` in provider/pkg/provider/diff.go of pulumi-kubernetes 4.34, with this program's
provider options (enableConfigMapMutable, enableSecretMutable).
"""

STORAGE: Path = ("spec", "resources", "requests", "storage")

FROZEN: dict[str, tuple[Path, ...]] = {
    "PersistentVolumeClaim": (("spec",),),
    "Secret": (("type",),),
    "RoleBinding": (("roleRef",),),
    "Service": _spec("clusterIP"),
    "StatefulSet": (("spec",),),
    "Job": _spec(
        "backoffLimitPerIndex", "completionMode", "completions", "managedBy", "podFailurePolicy",
        "selector", "successPolicy", "template",
    ),
    "Deployment": _spec("selector"),
}  # fmt: skip
"""By kind: fields that the API server does not let anyone change, with all in them but CHANGEABLE.
Source: Validate…Update of Kubernetes 1.36 (pkg/apis/*/validation/validation.go).
"""

CHANGEABLE: dict[str, tuple[Path, ...]] = {
    # Growth also requires a bound claim of a class that allows it, which no object shows.
    "PersistentVolumeClaim": (STORAGE, ("spec", "volumeAttributesClassName")),
    "StatefulSet": _spec(
        "minReadySeconds", "ordinals", "persistentVolumeClaimRetentionPolicy", "replicas",
        "revisionHistoryLimit", "template", "updateStrategy",
    ),
}  # fmt: skip

DEFAULTS: dict[tuple[str, Path], Any] = {
    ("PersistentVolumeClaim", ("spec", "volumeMode")): "Filesystem",
    ("Secret", ("type",)): "Opaque",
    ("StatefulSet", ("spec", "podManagementPolicy")): "OrderedReady",
    ("Job", ("spec", "completions")): 1,
    ("Job", ("spec", "completionMode")): "NonIndexed",
}
"""What the server uses for a frozen field without a value: to it the two are the same."""

DATA = ("data", "stringData", "binaryData")
"""Of a ConfigMap or Secret: what `immutable: true` freezes under either engine."""

WRITTEN_ONCE = (ADMIN_SECRET, CELERY_SECRET, KEYS_SECRET, MYSQL_SECRET)
"""Secrets whose values belong to the data: Pulumi ignores their changes, `make up` refuses them."""


def same_amount(difference: Difference) -> bool:
    """Whether both values are the same quantity in different units: no engine changes anything."""
    if not {"requests", "limits", "sizeLimit"} & {*difference.path}:
        return False
    try:
        return amount(difference.old) == amount(difference.new)
    except (TypeError, ValueError):  # MISSING, or no quantity
        return False


def replacing(after: Manifest, difference: Difference) -> bool:
    """Whether Pulumi replaces the object for this difference. `after` is the whole new object."""
    path, kind = difference.path, str(after["kind"])
    if _below(path, IDENTITY):
        return True
    if kind in ("ConfigMap", "Secret") and after.get("immutable") is True and path[0] in DATA:
        return True
    return _below(path, REPLACING.get(kind, ()))


def refused(before: Manifest, after: Manifest, difference: Difference) -> bool:
    """Whether the API server refuses to make this difference in the object, so that applying fails.

    Nothing is refused where the identity changes: that is another object.
    """
    path, kind = difference.path, str(after["kind"])
    if kind in ("ConfigMap", "Secret") and before.get("immutable") is True:
        return path[0] in {*DATA, "immutable"}
    if kind == "PersistentVolumeClaim" and path == STORAGE:
        return _shrinks(difference)
    if kind == "Service" and path == ("spec", "clusterIP") and difference.new is MISSING:
        return False  # the server keeps its address
    if kind == "Job" and path[-1] == "image":
        return False  # `make up` deletes a Job whose image was built again (kubectl/apply.py)
    if not _below(path, FROZEN.get(kind, ())) or _below(path, CHANGEABLE.get(kind, ())):
        return False
    default = DEFAULTS.get((kind, path), MISSING)
    old, new = (default if each is MISSING else each for each in (difference.old, difference.new))
    return bool(old != new)


def written_once(before: Manifest, difference: Difference) -> bool:
    """Whether the difference is one of values that neither engine changes (WRITTEN_ONCE)."""
    secret = before["kind"] == "Secret" and before["metadata"]["name"] in WRITTEN_ONCE
    return secret and difference.path[0] in DATA


def unselected(after: Manifest) -> list[Path]:
    """Paths of the pod template's labels that differ from the workload's own selector.

    The server refuses such a workload.
    """
    spec = after.get("spec", {})
    if after["kind"] not in ("Deployment", "StatefulSet"):
        return []
    path = ("spec", "template", "metadata", "labels")
    labels = spec["template"]["metadata"].get("labels", {})
    selector = spec["selector"].get("matchLabels", {})
    return [(*path, key) for key, value in sorted(selector.items()) if labels.get(key) != value]


def _below(path: Path, fields: Sequence[Path]) -> bool:
    return any(path[: len(field)] == field for field in fields)


def _shrinks(difference: Difference) -> bool:
    """Whether a claim's size is smaller or missing; it may only grow."""
    if difference.old is MISSING or difference.new is MISSING:
        return True
    return bool(amount(difference.new) < amount(difference.old))
