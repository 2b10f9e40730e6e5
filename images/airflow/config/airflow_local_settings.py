"""Cluster policies (Airflow's "Cluster Policies"): both Airflow lines import this file by its name.

They refuse pods that a DAG's author may not have (pod_rules.py).

Where Airflow runs a list of executors (`core.executor`, always so for the hybrids on Airflow 3),
nothing sends `queue="kubernetes"` to KubernetesExecutor as the hybrid classes of Airflow 2 do.
KUBERNETES_QUEUE_EXECUTOR says that this policy shall: it is the name or alias by which the list
has KubernetesExecutor.
"""

from __future__ import annotations

import os
from typing import Any

_EXECUTOR = os.environ.get("KUBERNETES_QUEUE_EXECUTOR")
_DEPLOYED = "TASKS_NAMESPACE" in os.environ
"""Whether this is a deployment in a cluster, not a laptop's."""


def task_policy(task: Any) -> None:
    """Refuse a task whose pods could not be created. Send one of the queue "kubernetes" to
    KubernetesExecutor, unless it names an executor.

    Raises AirflowClusterPolicyViolation, which is then the import error of the DAG's file.
    """
    if _DEPLOYED:
        _refuse(task)
    if not _EXECUTOR or task.queue != "kubernetes" or task.executor:
        return
    if hasattr(task, "partial_kwargs"):  # a mapped task, whose `executor` can only be read
        task.partial_kwargs["executor"] = _EXECUTOR
    else:
        task.executor = _EXECUTOR


def _refuse(task: Any) -> None:
    """Raises AirflowClusterPolicyViolation for a task whose pods could not be created."""
    from pod_rules import problems_of_task

    if problems := list(problems_of_task(task)):
        from airflow.exceptions import AirflowClusterPolicyViolation

        lines = "".join(f"\n  {problem}" for problem in problems)
        raise AirflowClusterPolicyViolation(f"task {task.task_id}:{lines}")


if _EXECUTOR:

    def task_instance_mutation_hook(task_instance: Any, dag_run: Any = None) -> None:  # noqa: ARG001
        """Do the same for a run of a DAG that was parsed before this executor was there."""
        if task_instance.queue == "kubernetes" and not task_instance.executor:
            task_instance.executor = _EXECUTOR


def pod_mutation_hook(pod: Any) -> None:
    """Complete the pods of KubernetesPodOperator; KubernetesExecutor's have no side-car.

    Raises ValueError for a pod that a DAG's author may not have.
    """
    from pod_defaults import complete_sidecar

    if _DEPLOYED:
        from pod_rules import check_pod

        check_pod(pod)
    complete_sidecar(pod)
