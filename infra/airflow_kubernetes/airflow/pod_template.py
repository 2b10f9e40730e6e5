"""The pod in which KubernetesExecutor runs a task.

Source: the Kubernetes provider's "KubernetesExecutor": the first container is named `base`, the
executor fills in name, namespace, arguments and labels; the image's entrypoint is kept.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from ..kubernetes.manifest import Manifest, manifest
from ..settings.schema import Settings
from . import pods, rbac, tasks
from .rbac import TASK
from .releases import RELEASES

CONFIG_MAP = "airflow-pod-template"
KEY = "pod_template.yaml"


def pod_template(settings: Settings, image: str) -> dict[str, Any]:
    """The template as a Pod."""
    needs = RELEASES[settings.airflow.version].task_secrets
    wanted = settings.airflow.tasks
    container = pods.container(settings, image, "base", [], needs, wanted.resources)
    token = bool(rbac.rules(settings, TASK))
    pod = tasks.extend(settings, pods.spec(settings, TASK, [container], token=token))
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "task",  # the executor gives each pod a name of its own
            "labels": pods.labels(settings, TASK),
            "annotations": tasks.STAY,
        },
        "spec": tasks.placed(pod, wanted.node_selector, wanted.tolerations)
        | {"restartPolicy": "Never"},
    }


def objects(settings: Settings, image: str) -> Iterator[Manifest]:
    """The template's ConfigMap and the task pods' account, where the executor starts pods."""
    release = RELEASES[settings.airflow.version]
    if release.executor(settings.airflow.executor).kubernetes:
        yield from rbac.objects(settings, TASK)
        text = yaml.safe_dump(pod_template(settings, image), sort_keys=True)
        yield manifest("v1", "ConfigMap", CONFIG_MAP, settings.namespace, TASK, data={KEY: text})
