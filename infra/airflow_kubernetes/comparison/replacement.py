"""Which changes of a field replace an object under Pulumi, and which the API server refuses.

The two do not agree everywhere. A field that Pulumi updates and the server refuses makes `up` fail
under both engines; one that Pulumi replaces and the server would update costs an outage under
Pulumi alone. Both tables are proved against the real thing by tests/cluster/test_changes.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..kubernetes.manifest import Manifest
from ..secrets import ADMIN_SECRET, CELERY_SECRET, KEYS_SECRET, MYSQL_SECRET
from ..settings.quantities import amount
from .leaves import MISSING, Difference, Path

IDENTITY: tuple[Path, ...] = (("apiVersion",), ("metadata", "name"), ("metadata", "namespace"))
"""A change of these makes another object of any kind."""

REPLACING: dict[str, tuple[Path, ...]] = {
    "PersistentVolumeClaim": (
        ("spec", "accessModes"),
        ("spec", "selector"),
        ("spec", "storageClassName"),
        ("spec", "volumeName"),
    ),
    "Secret": (("type",),),
    "RoleBinding": (("roleRef",),),
    "Service": (("spec", "clusterIP"),),
    "StatefulSet": (
        ("spec", "podManagementPolicy"),
        ("spec", "revisionHistoryLimit"),
        ("spec", "selector"),
        ("spec", "serviceName"),
        ("spec", "volumeClaimTemplates"),
    ),
    "Job": (
        ("spec", "completions"),
        ("spec", "parallelism"),
        ("spec", "selector"),
        ("spec", "template"),
    ),
    "Deployment": (("spec", "selector"),),
}
"""By kind: the fields below which any change replaces the object under Pulumi, even from nothing to
the server's default. Kinds that are not here are updated in every field.

Source: `forceNew` in provider/pkg/provider/diff.go of pulumi-kubernetes 4.34, with this program's
provider options (enableConfigMapMutable, enableSecretMutable).
"""

DATA = ("data", "stringData", "binaryData")
"""Of a ConfigMap or Secret: what `immutable: true` freezes under either engine."""


@dataclass(frozen=True)
class Frozen:
    """What the API server lets nobody change: all below `fields`, `but` for some below those."""

    fields: tuple[Path, ...]
    but: tuple[Path, ...] = ()


STORAGE: Path = ("spec", "resources", "requests", "storage")

FROZEN: dict[str, Frozen] = {
    # Growth also needs a bound claim of a class with allowVolumeExpansion, which no object tells.
    "PersistentVolumeClaim": Frozen(
        (("spec",),), but=(STORAGE, ("spec", "volumeAttributesClassName"))
    ),
    "Secret": Frozen((("type",),)),
    "RoleBinding": Frozen((("roleRef",),)),
    "Service": Frozen((("spec", "clusterIP"),)),
    "StatefulSet": Frozen(
        (("spec",),),
        but=(
            ("spec", "replicas"),
            ("spec", "ordinals"),
            ("spec", "template"),
            ("spec", "updateStrategy"),
            ("spec", "revisionHistoryLimit"),
            ("spec", "persistentVolumeClaimRetentionPolicy"),
            ("spec", "minReadySeconds"),
        ),
    ),
    "Job": Frozen(
        (
            ("spec", "backoffLimitPerIndex"),
            ("spec", "completionMode"),
            ("spec", "completions"),
            ("spec", "managedBy"),
            ("spec", "podFailurePolicy"),
            ("spec", "selector"),
            ("spec", "successPolicy"),
            ("spec", "template"),
        )
    ),
    "Deployment": Frozen((("spec", "selector"),)),
}
"""Source: Validate…Update of Kubernetes 1.36 (pkg/apis/*/validation/validation.go)."""

DEFAULTS: dict[tuple[str, Path], Any] = {
    ("PersistentVolumeClaim", ("spec", "volumeMode")): "Filesystem",
    ("Secret", ("type",)): "Opaque",
    ("StatefulSet", ("spec", "podManagementPolicy")): "OrderedReady",
    ("Job", ("spec", "completions")): 1,
    ("Job", ("spec", "completionMode")): "NonIndexed",
}
"""What the server fills in for a frozen field that is not given: the two are the same to it."""

WRITTEN_ONCE = (ADMIN_SECRET, CELERY_SECRET, KEYS_SECRET, MYSQL_SECRET)
"""Secrets whose values belong to the data: Pulumi ignores their changes, `make up` refuses them."""


def same_amount(difference: Difference) -> bool:
    """Whether both values are one quantity in two spellings: neither engine changes anything."""
    if not {"requests", "limits", "sizeLimit"} & {*difference.path}:
        return False
    try:
        return amount(difference.old) == amount(difference.new)
    except (AttributeError, KeyError, ValueError):  # not there, or no quantity
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
        return False  # the server keeps the one that it has
    if kind == "Job" and path[-1] == "image":
        return False  # `make up` deletes a Job whose image was built again (render/apply.py)
    rule = FROZEN.get(kind)
    if rule is None or not _below(path, rule.fields) or _below(path, rule.but):
        return False
    return _given(kind, path, difference.old) != _given(kind, path, difference.new)


def written_once(before: Manifest, difference: Difference) -> bool:
    """Whether the difference is one of values that neither engine changes (WRITTEN_ONCE)."""
    secret = before["kind"] == "Secret" and before["metadata"]["name"] in WRITTEN_ONCE
    return secret and difference.path[0] in DATA


def unselected(after: Manifest) -> list[Path]:
    """The labels of a workload's pods that its own selector does not find; the server refuses it.

    They are told as paths in the pod template.
    """
    spec = after.get("spec", {})
    if after["kind"] not in ("Deployment", "StatefulSet"):
        return []
    place = ("spec", "template", "metadata", "labels")
    labels = spec["template"]["metadata"].get("labels", {})
    wanted = spec["selector"].get("matchLabels", {})
    return [(*place, key) for key, value in sorted(wanted.items()) if labels.get(key) != value]


def _below(path: Path, fields: Sequence[Path]) -> bool:
    return any(path[: len(field)] == field for field in fields)


def _given(kind: str, path: Path, value: Any) -> object:
    """The value, or what the server fills in."""
    return DEFAULTS.get((kind, path), MISSING) if value is MISSING else value


def _shrinks(difference: Difference) -> bool:
    """A claim's size may grow, and nothing else: it may not go either."""
    if difference.old is MISSING or difference.new is MISSING:
        return True
    return bool(amount(difference.new) < amount(difference.old))
