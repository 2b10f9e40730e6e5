"""Named sizes of task pods (`airflow.tasks.profiles`), which a DAG chooses by `queue="name"`.

A profile is what the pod of a task has instead of what the template has; the task's own
`pod_override` goes over it. TASK_PROFILES has them by name, each as a part of a pod; TASK_QUEUES
are the queues that there are next to them. TASK_PROFILES_QUEUE is what the hybrid executors of
Airflow 2 take for the queue of pods: they look at nothing else.
"""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any


@cache
def profiles() -> dict[str, dict[str, Any]]:
    """The profiles by name; empty where the values have none."""
    found: dict[str, dict[str, Any]] = json.loads(os.environ.get("TASK_PROFILES") or "{}")
    return found


def problem(queue: str) -> str | None:
    """Why a task of this queue would not get what its DAG means; None if it will."""
    queues = os.environ.get("TASK_QUEUES", "").split(",")
    if not profiles() or queue in profiles() or queue in queues:
        return None
    return (
        f"queue {queue!r}: neither a profile ({', '.join(sorted(profiles()))}) nor a queue "
        f"({', '.join(queues)}); add it to airflow.tasks.profiles in values/common.yaml"
    )


def apply(task_instance: Any) -> None:
    """Give a task instance whose queue is a profile that profile's pod."""
    profile = profiles().get(task_instance.queue)
    if profile is None:
        return
    # Not at the top: most processes that load the policies never meet a profile.
    from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator

    config = dict(task_instance.executor_config or {})
    pod, own = PodGenerator.deserialize_model_dict(profile), config.get("pod_override")
    config["pod_override"] = pod if own is None else PodGenerator.reconcile_pods(pod, own)
    task_instance.executor_config = config
    task_instance.queue = os.environ.get("TASK_PROFILES_QUEUE") or task_instance.queue
