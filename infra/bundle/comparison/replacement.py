"""Which changes of a field replace an object.

The rules are the Kubernetes provider's (provider/pkg/provider/diff.go of pulumi-kubernetes) and
the API server's validation of updates.
"""

from .leaves import Path

REPLACING: dict[str, tuple[Path, ...]] = {
    "Deployment": (("spec", "selector"),),
    "StatefulSet": (
        ("spec", "selector"),
        ("spec", "serviceName"),
        ("spec", "volumeClaimTemplates"),
        ("spec", "podManagementPolicy"),
        ("spec", "revisionHistoryLimit"),
    ),
    "Job": (("spec", "template"), ("spec", "parallelism"), ("spec", "completions")),
    "PersistentVolumeClaim": (("spec", "accessModes"), ("spec", "storageClassName")),
}
"""By kind: the fields below which any change replaces the object under Pulumi."""

IDENTITY: tuple[Path, ...] = (("apiVersion",), ("metadata", "name"), ("metadata", "namespace"))
"""A change of these makes another object of any kind."""


def replacing(kind: str, path: Path) -> bool:
    """Whether Pulumi replaces an object of `kind` when the leaf at `path` changes."""
    return any(path[: len(rule)] == rule for rule in (*IDENTITY, *REPLACING.get(kind, ())))


def refused(kind: str, path: Path) -> bool:
    """Whether the API server refuses to change the leaf at `path`."""
    return replacing(kind, path) and path not in IDENTITY
