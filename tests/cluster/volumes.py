"""Volumes that may grow, for the claims of one test: the sandbox's own class has none."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .conftest import Deployment

CLAIMS = ("airflow-mysql", "airflow-logs", "airflow-backups", "airflow-redis")


@contextmanager
def bound_volumes(deployment: Deployment, folder: Path) -> Iterator[None]:
    """A class named like the namespace, and a volume below `folder` for each claim."""
    node = deployment.kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
    made = [
        _storage_class(deployment.namespace),
        *(_volume(deployment, node, name, folder) for name in CLAIMS),
    ]
    command = ["kubectl", "apply", "--server-side", "--filename=-"]
    items = json.dumps({"apiVersion": "v1", "kind": "List", "items": made})
    subprocess.run(command, input=items, text=True, check=True, capture_output=True)
    try:
        yield
    finally:
        names = [f"{obj['kind']}/{obj['metadata']['name']}" for obj in made]
        deployment.kubectl("delete", "--ignore-not-found", *names)


def _storage_class(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "kubernetes.io/no-provisioner",
        "allowVolumeExpansion": True,
    }


def _volume(deployment: Deployment, node: str, claim: str, folder: Path) -> dict[str, Any]:
    directory = folder / claim
    directory.mkdir(mode=0o700)
    hostname = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{deployment.namespace}-{claim}"},
        "spec": {
            "storageClassName": deployment.namespace,
            "capacity": {"storage": "5Gi"},
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "claimRef": {"namespace": deployment.namespace, "name": claim},
            "local": {"path": str(directory)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [hostname]}]}},
        },
    }
