"""The pod in which KubernetesExecutor runs a task: a template that the scheduler reads as a file.

Source: the Kubernetes provider's "KubernetesExecutor": the first container is named `base`, the
executor fills in name, namespace, arguments and labels; the image's entrypoint stays.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import yaml

from ..kubernetes.env import EnvVar, plain_env
from ..kubernetes.manifest import Manifest, manifest
from ..kubernetes.pod import volume
from ..kubernetes.pod_settings import merged
from ..kubernetes.rbac import ServiceAccount
from ..settings.schema import Settings
from . import dags, tasks
from .configuration import POD_TEMPLATE
from .pod import airflow_container, airflow_pod
from .releases import RELEASES

TASK = "task"
TEMPLATE_CONFIG_MAP, TEMPLATE_KEY = "airflow-pod-template", PurePosixPath(POD_TEMPLATE).name

# A folder, not a single file, so that the kubelet writes a change into running schedulers, which
# read the file for each pod.
TEMPLATE_FILE = volume(
    "pod-template",
    str(PurePosixPath(POD_TEMPLATE).parent),
    {"configMap": {"name": TEMPLATE_CONFIG_MAP}},
    readOnly=True,
)


def executor_env(settings: Settings) -> tuple[EnvVar, ...]:
    """What makes a scheduler use the image's own KubernetesExecutor (config/task_pods)."""
    return plain_env({"TASK_DISRUPTION_RETRIES": str(settings.airflow.tasks.disruption_retries)})


def task_pod_manifests(settings: Settings, image: str) -> Iterator[Manifest]:
    """The service account of task pods, and the template."""
    yield from _account(settings).manifests(settings.namespace)
    text = yaml.safe_dump(template(settings, image), sort_keys=True)
    yield manifest(
        "v1",
        "ConfigMap",
        TEMPLATE_CONFIG_MAP,
        settings.namespace,
        TASK,
        data={TEMPLATE_KEY: text},
    )


def template(settings: Settings, image: str) -> dict[str, Any]:
    """The template as a Pod."""
    values = settings.airflow.tasks
    release = RELEASES[settings.airflow.version]
    container = airflow_container(
        settings, "base", image, values.resources, (), release.task_secrets
    )
    pod = airflow_pod(
        settings,
        _account(settings),
        container,
        merged(tasks.HOME, values),
        dags.parts(settings, image, once=True),
        tmp=values.tmp_size_limit,
        # Nothing in the pod heeds SIGTERM (the image's entrypoint.sh): a task on a node that is
        # drained may finish.
        grace_period=tasks.grace_period(settings),
        restart_policy="Never",
    ).template()
    # The executor gives each pod a name of its own.
    metadata = {"name": "task", **pod["metadata"]}
    return {"apiVersion": "v1", "kind": "Pod", **pod, "metadata": metadata}


def _account(settings: Settings) -> ServiceAccount:
    tasks = settings.airflow.tasks
    return ServiceAccount(TASK, bound_elsewhere=tasks.launch_pods, values=tasks.service_account)
