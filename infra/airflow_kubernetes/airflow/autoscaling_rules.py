"""Cross-field rules about autoscalers."""

from collections.abc import Iterator

from ..settings.problems import Fault, Path
from ..settings.schema import Settings
from . import workers
from .executors import KUBERNETES_QUEUE


def problems(settings: Settings) -> Iterator[Fault]:
    """Path and message of every contradiction, those of workers left out."""
    airflow = settings.airflow
    for key, values in (("apiServer", airflow.api_server), ("triggerer", airflow.triggerer)):
        yield from _bounds(("airflow", key), values.replicas, values.most)
    if airflow.triggerer.most > airflow.triggerer.replicas and not airflow.keda.enabled:
        yield (
            ("airflow", "triggerer", "maxReplicas"),
            "requires airflow.keda.enabled: triggers wait and use little CPU, so KEDA counts "
            "them; or set it to null",
        )
    if (
        airflow.keda.enabled
        and settings.database.mode == "external"
        and airflow.keda.secret is None
    ):
        yield (
            ("airflow", "keda", "secret"),
            "must be set, because database.mode is external: a Secret with the key kedaConnection, "
            "for a user of KEDA's own that may only read; see docs/executors.md",
        )


def problems_of_workers(settings: Settings) -> Iterator[Fault]:
    """Path and message of every contradiction of a set of workers, for Celery's executors."""
    keda = settings.airflow.keda.enabled
    for name, values in settings.airflow.celery.workers.items():
        path = ("airflow", "celery", "workers", name)
        yield from _bounds(path, values.replicas, values.max_replicas)
        if values.replicas == 0 and not keda:
            yield (
                (*path, "replicas"),
                "0 requires airflow.keda.enabled: without KEDA nothing starts the first worker, "
                "since one that does not run uses no CPU; set it to 1 or more",
            )
        autoscaled = values.max_replicas > values.replicas
        if keda and autoscaled and not workers.counted_queues(settings, name):
            yield (
                (*path, "queues"),
                f"tasks of the queue {KUBERNETES_QUEUE} run in pods of their own, so there is "
                "nothing to scale this set by; add another queue, or remove the set",
            )


def _bounds(path: Path, least: int, most: int) -> Iterator[Fault]:
    if most < least:
        yield (
            (*path, "maxReplicas"),
            f"is less than replicas: {least}; set both to the same number to turn off autoscaling",
        )
