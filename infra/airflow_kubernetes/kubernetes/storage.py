"""Claims of storage."""

from typing import Any


def claim_spec(size: str, storage_class: str | None, access: str) -> dict[str, Any]:
    """A claim's spec; without a class the cluster's default one is taken."""
    spec: dict[str, Any] = {"accessModes": [access], "resources": {"requests": {"storage": size}}}
    return spec if storage_class is None else {**spec, "storageClassName": storage_class}
