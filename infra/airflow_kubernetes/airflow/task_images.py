"""The file from which DAGs get references to images by name (image: config/task_images.py)."""

import json
from collections.abc import Mapping
from typing import Any

from ..kubernetes.manifest import Manifest, manifest
from ..settings.schema import Settings

CONFIG_MAP, FILE = "airflow-task-images", "images.json"
FOLDER = "/opt/task-images"

MOUNT = {"name": "task-images", "mountPath": FOLDER, "readOnly": True}
VOLUME: dict[str, Any] = {"name": "task-images", "configMap": {"name": CONFIG_MAP}}
"""A folder, not a single file: so the kubelet writes a change into running pods."""


def config_map(settings: Settings, images: Mapping[str, str]) -> Manifest:
    """References by the names that DAGs use. A change of it rolls no pod: DAGs are parsed again."""
    return manifest(
        "v1",
        "ConfigMap",
        CONFIG_MAP,
        settings.namespace,
        "task-images",
        data={FILE: json.dumps(images, indent=1, sort_keys=True)},
    )
