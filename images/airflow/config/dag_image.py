"""KubernetesExecutor runs each task in the image in which its DAG was read, until its run ends.

So a deployment changes nothing for runs that have begun, and no task runs other code than that of
which the DAG processor has read the structure. What is recorded with a task (`executor_config`) is
the image; a task that names one itself keeps it.

Airflow 3: a run has the version of the DAG bundle in which its DAG was read (image_bundle.py). The
version is not written into the DAG itself: each image would then make a new version of every DAG.
Airflow 2 has no such versions: there the DAG processor writes its image into each task.
"""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

RELEASE = "airflow-kubernetes/release"
"""An annotation: after a change of the release, no pod runs an image of the old one."""


def stamp(config: dict[str, Any] | None, image: str) -> dict[str, Any]:
    """A copy of the `executor_config` with `image`, unless that has an image."""
    from airflow import __version__
    from kubernetes.client import models as k8s

    config = dict(config or {})
    pod = copy.deepcopy(config.get("pod_override")) or k8s.V1Pod()
    pod.spec = pod.spec or k8s.V1PodSpec(containers=[])
    pod.spec.containers = pod.spec.containers or [k8s.V1Container(name="base")]
    if pod.spec.containers[0].image:
        return config
    pod.spec.containers[0].image = image
    pod.metadata = pod.metadata or k8s.V1ObjectMeta()
    pod.metadata.annotations = {**(pod.metadata.annotations or {}), RELEASE: __version__}
    return {**config, "pod_override": pod}


def stamp_task(task: Any, image: str) -> None:
    """Write the image into a task that is read."""
    if hasattr(task, "partial_kwargs"):  # a mapped task, whose `executor_config` can only be read
        arguments = task.partial_kwargs
        arguments["executor_config"] = stamp(arguments.get("executor_config"), image)
    else:
        task.executor_config = stamp(task.executor_config, image)


def stamp_instance(task_instance: Any, dag_run: Any, registry: str) -> None:
    """Write the image of its run into a task instance, if the run's version is an image."""
    version = getattr(dag_run, "bundle_version", None) or ""
    if "@sha256:" in version:
        task_instance.executor_config = stamp(task_instance.executor_config, registry + version)


def check_release(pod: Any) -> None:
    """Give a pod whose image is of another release than the scheduler that of the template."""
    release = (pod.metadata.annotations or {}).get(RELEASE)
    if release is None:
        return
    from airflow import __version__

    if release == __version__:
        return
    import yaml

    file = Path(os.environ["AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE"])
    template = yaml.safe_load(file.read_text(encoding="utf-8"))
    pod.spec.containers[0].image = template["spec"]["containers"][0]["image"]
