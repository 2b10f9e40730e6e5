"""PersistentVolumeClaims."""

from typing import Any

from ..settings.schema import Claim, Settings
from .manifest import Manifest, manifest


def claim_manifest(
    settings: Settings,
    name: str,
    component: str,
    claim: Claim,
    *,
    access: str = "ReadWriteOnce",
    protected: bool = True,
) -> Manifest:
    """A claim of the given size; without a storage class it gets the cluster's default one."""
    spec: dict[str, Any] = {
        "accessModes": [access],
        "resources": {"requests": {"storage": claim.size}},
    }
    if claim.storage_class is not None:
        spec["storageClassName"] = claim.storage_class
    return manifest(
        "v1",
        "PersistentVolumeClaim",
        name,
        settings.namespace,
        component,
        protected=protected,
        spec=spec,
    )
