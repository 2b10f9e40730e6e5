"""Cluster policies (Airflow's "Cluster Policies"): both Airflow lines import this file by its name.

They refuse pods that a DAG's author may not have (pod_rules.py), see to it that a task runs in the
image in which its DAG was read (dag_image.py), and give it the pod of its profile
(task_profiles.py). Schedulers that start pods also get the executor
of task_pods/ from here, by Airflow's own name: it is the same in `core.executor`, in its hybrid
classes and in a DAG's `executor=`.

Where Airflow runs a list of executors (`core.executor`, always so for the hybrids on Airflow 3),
nothing sends `queue="kubernetes"` to KubernetesExecutor as the hybrid classes of Airflow 2 do.
KUBERNETES_QUEUE_EXECUTOR says that this policy shall: it is the name or alias by which the list
has KubernetesExecutor.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

_EXECUTOR = os.environ.get("KUBERNETES_QUEUE_EXECUTOR")
_PROFILES = os.environ.get("TASK_PROFILES")
"""What task_profiles.py reads."""

_IN_PODS = {"kubernetes", *(json.loads(_PROFILES) if _PROFILES else ())}
"""The queues whose tasks are for KubernetesExecutor."""

_DEPLOYED = "TASKS_NAMESPACE" in os.environ
"""Whether this is a deployment in a cluster, not a laptop's."""

_TASK_IMAGE, _TASK_IMAGES = os.environ.get("TASK_IMAGE"), os.environ.get("TASK_IMAGES")
"""In the DAG processor of Airflow 2 the image of task pods; on Airflow 3 the registry of all."""

# Airflow 2 with several sources of DAGs: each has its own modules, as in a DAG folder. Behind all
# others, as Airflow itself puts that.
sys.path += filter(None, os.environ.get("DAG_FOLDERS", "").split(":"))

if "TASK_DISRUPTION_RETRIES" in os.environ:
    from airflow.executors.executor_loader import ExecutorLoader

    ExecutorLoader.executors["KubernetesExecutor"] = "task_pods.executor.KubernetesExecutor"

if _TASK_IMAGE:
    # Here once, and not again in the process of each file.
    import kubernetes.client  # noqa: F401


def task_policy(task: Any) -> None:
    """Refuse a task whose pods could not be created; record the image of others. Send one of the
    queue "kubernetes", or of a profile, to KubernetesExecutor, unless it names an executor.

    Raises AirflowClusterPolicyViolation, which is then the import error of the DAG's file.
    """
    if _DEPLOYED:
        _refuse(task)
    if _TASK_IMAGE:
        from dag_image import stamp_task

        stamp_task(task, _TASK_IMAGE)
    if not _EXECUTOR or task.queue not in _IN_PODS or task.executor:
        return
    if hasattr(task, "partial_kwargs"):  # a mapped task, whose `executor` can only be read
        task.partial_kwargs["executor"] = _EXECUTOR
    else:
        task.executor = _EXECUTOR


def _refuse(task: Any) -> None:
    """Raises AirflowClusterPolicyViolation for a task whose pods could not be created."""
    from pod_rules import problems_of_task
    from task_profiles import problem

    queue = problem(task.queue)
    if problems := [*problems_of_task(task), *([queue] if queue else [])]:
        from airflow.exceptions import AirflowClusterPolicyViolation

        lines = "".join(f"\n  {problem}" for problem in problems)
        raise AirflowClusterPolicyViolation(f"task {task.task_id}:{lines}")


if _EXECUTOR or _TASK_IMAGES or _PROFILES:

    def task_instance_mutation_hook(task_instance: Any, dag_run: Any = None) -> None:
        """Record the image of the run, and what the task's profile gives its pod. Send a task to
        KubernetesExecutor as above, for a run of a DAG that was parsed before this executor was
        there.
        """
        if _PROFILES:
            from task_profiles import apply

            apply(task_instance)
        if _EXECUTOR and task_instance.queue in _IN_PODS and not task_instance.executor:
            task_instance.executor = _EXECUTOR
        if _TASK_IMAGES:
            from dag_image import stamp_instance

            stamp_instance(task_instance, dag_run, _TASK_IMAGES)


def pod_mutation_hook(pod: Any) -> None:
    """Complete the pods of KubernetesPodOperator; KubernetesExecutor's have all that from their
    template.

    Raises ValueError for a pod that a DAG's author may not have.
    """
    from pod_defaults import complete_sidecar, rank, stay

    if _DEPLOYED:
        from dag_image import check_release
        from pod_rules import check_pod

        check_pod(pod)
        check_release(pod)
    complete_sidecar(pod)
    rank(pod)
    stay(pod)
