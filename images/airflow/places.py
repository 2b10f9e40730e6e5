"""Where a running task is, and where an executor would look for it: scheduler, worker or pod.

Pure functions over names: the hosts are pods, and those of schedulers and Celery workers are named
by the deployment.
"""

import re

PLACES = {
    "LocalExecutor": "scheduler",
    "SequentialExecutor": "scheduler",
    "CeleryExecutor": "worker",
    "KubernetesExecutor": "pod",
}
HYBRIDS = {"CeleryKubernetesExecutor": "worker", "LocalKubernetesExecutor": "scheduler"}
"""2.x's hybrid classes, by the place of the tasks that are not in the queue for pods."""

KUBERNETES_QUEUE = "kubernetes"

DEPLOYED = re.compile(r"airflow-(scheduler|worker)(?:-[a-z0-9-]+)?-[a-z0-9]{6,10}-[a-z0-9]{5}")
"""Pods of Deployments: their set's name, a hash, five characters. Task pods end in eight."""


def place_of(host: str) -> str:
    """The place of a task by the name of its host."""
    found = DEPLOYED.fullmatch(host)
    return found[1] if found else "pod"


def place_wanted(setting: str, executor: str | None, queue: str) -> str | None:
    """The place where the executor (a value of `core.executor`) looks for a task.

    `executor` and `queue` are the task's own; an executor that is not in the setting has no place.
    """
    if setting in HYBRIDS:
        return "pod" if queue == KUBERNETES_QUEUE else HYBRIDS[setting]
    names = names_of(setting)
    if not executor:
        return PLACES.get(next(iter(names.values())))
    # Airflow takes an alias, a class name, or the class with its module.
    return PLACES.get(names.get(executor) or names.get(executor.rpartition(".")[2], ""))


def names_of(setting: str) -> dict[str, str]:
    """The class of each name and alias in a value of `core.executor`, the default one first."""
    names: dict[str, str] = {}
    for item in setting.split(","):
        alias, _, name = item.strip().rpartition(":")
        names |= {name: name, (alias or name): name}
    return names


def place_of_queued(external_executor_id: str) -> str:
    """The place for which a task was queued, by the id that its executor noted.

    KubernetesExecutor notes the number of its scheduler's job, CeleryExecutor a message's UUID.
    """
    return "pod" if external_executor_id.isdigit() else "worker"
