"""Named sizes of task pods: what the image's task_profiles.py needs to know of them."""

import json
from collections.abc import Iterator

from ..kubernetes.manifest import Manifest
from ..kubernetes.pod_settings import placement
from ..settings.problems import Fault
from ..settings.schema import Settings, TaskProfile
from .executors import KUBERNETES_QUEUE
from .releases import RELEASES


def queues(settings: Settings) -> list[str]:
    """The queues that there are next to the profiles: of tasks that name none, of pods, and of
    Celery workers, whether the executor has any.
    """
    airflow = settings.airflow
    default = str(airflow.options.get("operators", {}).get("default_queue", "default"))
    served = (queue for workers in airflow.celery.workers.values() for queue in workers.queues)
    return sorted({default, *served, KUBERNETES_QUEUE})


def variables(settings: Settings) -> dict[str, str]:
    """Variables of all components; none without profiles, or without task pods."""
    release, profiles = RELEASES[settings.airflow.version], settings.airflow.tasks.profiles
    executor = release.executor(settings.airflow.executor)
    if not profiles or not executor.kubernetes:
        return {}
    found = {
        "TASK_PROFILES": json.dumps({name: _pod(profile) for name, profile in profiles.items()}),
        "TASK_QUEUES": ",".join(queues(settings)),
    }
    if not release.executor_lists and (executor.celery or executor.local):
        found["TASK_PROFILES_QUEUE"] = KUBERNETES_QUEUE
    return found


def problems(settings: Settings) -> Iterator[Fault]:
    """Path and message of every profile that has the name of a queue."""
    for name in settings.airflow.tasks.profiles:
        if name in queues(settings):
            yield (
                ("airflow", "tasks", "profiles", name),
                "is a queue, whose tasks would all get this profile; use another name",
            )


def warnings(settings: Settings) -> Iterator[str]:
    """That profiles have no effect, where no task has a pod."""
    executor = RELEASES[settings.airflow.version].executor(settings.airflow.executor)
    if settings.airflow.tasks.profiles and not executor.kubernetes:
        yield f"airflow.tasks.profiles: no effect with {executor.name}, which has no task pods"


def _pod(profile: TaskProfile) -> Manifest:
    """The part of a pod that a profile is. What it does not set stays as in the template."""
    container: Manifest = {"name": "base"}
    if profile.image is not None:
        container |= {"image": profile.image}
    if profile.resources is not None:
        container |= {"resources": profile.resources.model_dump()}
    metadata = {"annotations": profile.pod_annotations, "labels": profile.labels}
    return {
        "metadata": {key: value for key, value in metadata.items() if value},
        "spec": {"containers": [container], **placement(profile)},
    }
