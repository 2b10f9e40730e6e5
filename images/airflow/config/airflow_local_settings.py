"""Cluster policies (Airflow's "Cluster Policies"): both Airflow lines import this file by its name.

Where Airflow runs a list of executors (`core.executor`, always so for the hybrids on Airflow 3),
nothing sends `queue="kubernetes"` to KubernetesExecutor as the hybrid classes of Airflow 2 do.
KUBERNETES_QUEUE_EXECUTOR says that this policy shall: it is the name or alias by which the list
has KubernetesExecutor.
"""

from __future__ import annotations

import os
from typing import Any

_EXECUTOR = os.environ.get("KUBERNETES_QUEUE_EXECUTOR")


def task_policy(task: Any) -> None:
    """Send a task of the queue "kubernetes" to KubernetesExecutor, unless it names an executor."""
    if not _EXECUTOR or task.queue != "kubernetes" or task.executor:
        return
    if hasattr(task, "partial_kwargs"):  # a mapped task, whose `executor` can only be read
        task.partial_kwargs["executor"] = _EXECUTOR
    else:
        task.executor = _EXECUTOR


if _EXECUTOR:

    def task_instance_mutation_hook(task_instance: Any, dag_run: Any = None) -> None:  # noqa: ARG001
        """Do the same for a run of a DAG that was parsed before this executor was there."""
        if task_instance.queue == "kubernetes" and not task_instance.executor:
            task_instance.executor = _EXECUTOR


def pod_mutation_hook(pod: Any) -> None:
    """Complete the pods of KubernetesPodOperator; KubernetesExecutor's have no side-car."""
    from pod_defaults import complete_sidecar

    complete_sidecar(pod)
