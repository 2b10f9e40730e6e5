"""The pod in which KubernetesExecutor runs a task.

Source: the Kubernetes provider's "KubernetesExecutor": the first container is named `base`, the
executor fills in name, namespace, arguments and labels; the image's entrypoint is kept.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from ..kubernetes.access import account
from ..kubernetes.metadata import Manifest, manifest
from ..settings.schema import Settings
from . import pods
from .executors import EXECUTORS
from .releases import RELEASES

COMPONENT = "task"
CONFIG_MAP = "airflow-pod-template"
KEY = "pod_template.yaml"


def pod_template(settings: Settings, image: str) -> dict[str, Any]:
    """The template as a Pod."""
    needs = RELEASES[settings.airflow.version].task_secrets
    container = pods.container(settings, image, "base", [], needs, settings.airflow.tasks.resources)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "task",  # the executor gives each pod a name of its own
            "labels": pods.labels(settings, COMPONENT),
        },
        "spec": pods.spec(settings, COMPONENT, [container]) | {"restartPolicy": "Never"},
    }


def objects(settings: Settings, image: str) -> Iterator[Manifest]:
    """The template's ConfigMap and the task pods' account, where the executor starts pods."""
    if EXECUTORS[settings.airflow.executor].kubernetes:
        yield account(settings.namespace, COMPONENT)
        text = yaml.safe_dump(pod_template(settings, image), sort_keys=True)
        yield manifest(
            "v1", "ConfigMap", CONFIG_MAP, settings.namespace, COMPONENT, data={KEY: text}
        )
