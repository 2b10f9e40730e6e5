"""The storage class and its pool of volumes: directories that stay when the cluster stops.

The volumes are of type `local`, because the kubelet applies a pod's fsGroup to them; to those of
the controller manager's host-path provisioner it does not, and non-root pods could not write.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from . import api, paths
from .progress import Progress

_POOL = 8
_CAPACITY = "20Gi"
_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_VOLUMES = "/api/v1/persistentvolumes"


@dataclass(frozen=True)
class Volume:
    """A volume of the pool: its phase is Kubernetes' (Available, Bound, Released, Failed)."""

    name: str
    phase: str
    directory: Path


def ensure(progress: Progress) -> None:
    """Makes the class, and as many new volumes as the pool lacks. Never deletes one."""
    api.apply(
        f"{_CLASSES}/{paths.STORAGE_CLASS}",
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": paths.STORAGE_CLASS,
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": "kubernetes.io/no-provisioner",
            "volumeBindingMode": "WaitForFirstConsumer",
            "reclaimPolicy": "Retain",
        },
    )
    # A volume without a phase was made a moment ago and will be Available.
    free = sum(volume.phase in ("", "Pending", "Available") for volume in volumes())
    for _ in range(_POOL - free):
        _add(f"sandbox-{secrets.token_hex(4)}")
    if free < _POOL:
        progress(f"volumes: {_POOL - free} added to the pool")


def volumes() -> list[Volume]:
    """All volumes of the class, by name."""
    return [
        Volume(
            item["metadata"]["name"],
            item.get("status", {}).get("phase", ""),
            Path(item["spec"]["local"]["path"]),
        )
        for item in api.get(_VOLUMES)["items"]
        if item["spec"].get("storageClassName") == paths.STORAGE_CLASS
    ]


def _add(name: str) -> None:
    directory = paths.VOLUMES / name
    # Closed to others, as a fresh disk's root would be; the kubelet opens it to the pod's fsGroup.
    directory.mkdir(parents=True, mode=0o700)
    hostname = {"key": "kubernetes.io/hostname", "operator": "In", "values": [paths.NAME]}
    api.apply(
        f"{_VOLUMES}/{name}",
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {
                "storageClassName": paths.STORAGE_CLASS,
                "capacity": {"storage": _CAPACITY},
                "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
                "persistentVolumeReclaimPolicy": "Retain",
                "local": {"path": str(directory)},
                "nodeAffinity": {
                    "required": {"nodeSelectorTerms": [{"matchExpressions": [hostname]}]}
                },
            },
        },
    )
