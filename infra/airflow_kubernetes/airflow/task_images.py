"""The file from which DAGs get references to images by name (image: config/task_images.py)."""

import json
from collections.abc import Mapping

from ..kubernetes.manifest import Manifest, manifest
from ..kubernetes.pod import volume
from ..settings.schema import Settings

CONFIG_MAP, FILE = "airflow-task-images", "images.json"
FOLDER = "/opt/task-images"

PARTS = volume("task-images", FOLDER, {"configMap": {"name": CONFIG_MAP}}, readOnly=True)
"""A folder, not a single file, so that the kubelet writes a change into running pods."""


def task_images_manifest(settings: Settings, images: Mapping[str, str]) -> Manifest:
    """References by the names that DAGs use. Changing it rolls no pod: DAGs are parsed again."""
    return manifest(
        "v1",
        "ConfigMap",
        CONFIG_MAP,
        settings.namespace,
        "task-images",
        data={FILE: json.dumps(images, indent=1, sort_keys=True)},
    )
