"""Where a running task is, and where an executor would look for it: scheduler, worker or pod.

Pure functions over names: a task's host is a pod, and the deployment names those of schedulers and
Celery workers.
"""

import re

LOCATIONS = {
    "LocalExecutor": "scheduler",
    "SequentialExecutor": "scheduler",
    "CeleryExecutor": "worker",
    "KubernetesExecutor": "pod",
}
HYBRIDS = {"CeleryKubernetesExecutor": "worker", "LocalKubernetesExecutor": "scheduler"}
"""2.x's hybrid classes, by the location of the tasks that are not in the queue for pods."""

KUBERNETES_QUEUE = "kubernetes"

DEPLOYED = re.compile(r"airflow-((scheduler|worker)(?:-[a-z0-9-]+)?)-[a-z0-9]{6,10}-[a-z0-9]{5}")
"""Pods of Deployments: the name of the set of workers, a hash, five characters. Task pods end in
eight characters."""


def location_of(host: str) -> str:
    """The location of a task by the name of its host."""
    match = DEPLOYED.fullmatch(host)
    return match[2] if match else "pod"


def place_of(host: str) -> str:
    """The same, with the name of its set for a worker: `worker-default`."""
    match = DEPLOYED.fullmatch(host)
    return match[1] if match else "pod"


def expected_location(setting: str, executor: str | None, queue: str) -> str | None:
    """The location where the executor (a value of `core.executor`) looks for a task.

    `executor` and `queue` are the task's own. None if the setting does not have that executor.
    """
    if setting in HYBRIDS:
        return "pod" if queue == KUBERNETES_QUEUE else HYBRIDS[setting]
    names = names_of(setting)
    if not executor:
        return LOCATIONS.get(next(iter(names.values())))
    # Airflow takes an alias, a class name, or the class with its module.
    return LOCATIONS.get(names.get(executor) or names.get(executor.rpartition(".")[2], ""))


def names_of(setting: str) -> dict[str, str]:
    """The class of each name and alias in a value of `core.executor`, the default one first."""
    names: dict[str, str] = {}
    for item in setting.split(","):
        alias, _, name = item.strip().rpartition(":")
        names |= {name: name, (alias or name): name}
    return names


def location_of_queued(external_executor_id: str) -> str:
    """The location for which a task was queued, by the id that its executor wrote.

    KubernetesExecutor writes the number of its scheduler's job, CeleryExecutor a message's UUID.
    """
    return "pod" if external_executor_id.isdigit() else "worker"
