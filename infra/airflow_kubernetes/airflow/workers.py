"""Celery workers: a Deployment for each set of workers, and its autoscaler.

What is removed takes no more tasks and ends those that it has. So that few have any, idle workers
go first (deletion_cost.py); and KEDA, which counts the busy ones, removes no more than are idle.
"""

from collections.abc import Iterator

from ..kubernetes.disruption import disruption_budget
from ..kubernetes.manifest import Manifest
from ..kubernetes.pod import NOTHING
from ..kubernetes.probes import Probes, probe, recently_touched
from ..kubernetes.rbac import ServiceAccount
from ..settings.schema import Settings, Workers
from . import dags, tasks
from .autoscaling import by_cpu, by_query
from .deletion_cost import deletion_cost_manifests
from .deployment import deployment
from .executors import KUBERNETES_QUEUE, Executor
from .image_scripts import wait_for_migrations
from .pod import airflow_container, airflow_pod, rolled_by
from .releases import DATABASE, RELEASES

HEARTBEAT = "/tmp/worker-heartbeat"
"""The worker touches this file at each of Celery's own heartbeats (images/airflow/config);
`celery inspect ping` reports no more, with 7 s of CPU and 157 MB at each probe."""


def workers_manifests(settings: Settings, image: str, plain: str) -> Iterator[Manifest]:
    """The service account of all workers; the Deployment and autoscaler of each set.

    `image` has DAGs where they are built in, `plain` never.
    """
    release = RELEASES[settings.airflow.version]
    account = ServiceAccount(
        release.worker.name,
        bound_elsewhere=settings.airflow.tasks.launch_pods,
        values=settings.airflow.celery.service_account,
    )
    yield from account.manifests(settings.namespace)
    autoscaled = []
    for name, values in settings.airflow.celery.workers.items():
        component = f"{account.component}-{name}"
        yield _deployment(settings, account, image, name, values)
        yield from disruption_budget(
            settings, component, values.max_replicas, values.pod_disruption_budget
        )
        if values.max_replicas > values.replicas:
            autoscaled.append(component)
            yield from _autoscaler(settings, component, name, values)
    if autoscaled:
        yield from deletion_cost_manifests(settings, plain, autoscaled)


def queues(settings: Settings, name: str) -> list[str]:
    """The queues that a set of workers serves.

    Without task pods, the first set serves their queue too: a DAG runs on any executor. Where a
    policy sends that queue to pods, it still has the tasks of runs that began before the policy.
    """
    workers = settings.airflow.celery.workers
    executor = _executor(settings)
    shared = not executor.kubernetes or executor.pods_by_policy is not None
    more = [KUBERNETES_QUEUE] if shared and name == next(iter(workers)) else []
    return list(dict.fromkeys([*workers[name].queues, *more]))


def counted_queues(settings: Settings, name: str) -> list[str]:
    """The queues whose tasks are the set's: 2.x's hybrid class sends one of them to pods."""
    executor = _executor(settings)
    by_queue = executor.kubernetes and not RELEASES[settings.airflow.version].executor_lists
    return [
        queue for queue in queues(settings, name) if not (by_queue and queue == KUBERNETES_QUEUE)
    ]


def needed(settings: Settings, name: str, concurrency: int) -> str:
    """The query for the number of workers that a set needs.

    Enough for its queued and running tasks, and as many as run a task now, so that none of those
    is one too many. Airflow writes a pod's name as the host of a task that runs.
    """
    served = ", ".join(map(_text, counted_queues(settings, name)))
    conditions = ["state IN ('queued', 'running')", f"queue IN ({served})"]
    if names := _executor(settings).celery_names:
        named = f"executor IN ({', '.join(_text(name) for name in names if name)})"
        conditions.append(f"(executor IS NULL OR {named})" if None in names else named)
    busy = "COUNT(DISTINCT IF(state = 'running', hostname, NULL))"
    number = f"GREATEST(CEIL(COUNT(*) / {concurrency}), {busy})"
    return f"SELECT {number} FROM task_instance WHERE {' AND '.join(conditions)}"  # noqa: S608


def _deployment(
    settings: Settings,
    account: ServiceAccount,
    image: str,
    name: str,
    values: Workers,
) -> Manifest:
    """One set of workers.

    A Deployment, because logs are on the shared volume: while an old worker ends its tasks, a new
    one already works. A StatefulSet would wait for it.
    """
    component = RELEASES[settings.airflow.version].worker
    container = airflow_container(
        settings,
        component.name,
        image,
        values.resources,
        (
            *component.args,
            *("--queues", ",".join(queues(settings, name))),
            *("--concurrency", str(values.concurrency)),
        ),
        component.secrets,
        probes=Probes(
            startup=probe(recently_touched(HEARTBEAT, 60), period=2, failures=90),
            # A stuck worker is restarted; not a worker whose broker is unavailable for minutes.
            liveness=probe(recently_touched(HEARTBEAT, 600), period=60, failures=3),
            readiness=probe(recently_touched(HEARTBEAT, 60), period=15, failures=2),
        ),
    )
    uses_database = DATABASE in component.secrets
    wait = wait_for_migrations(settings, image) if uses_database else NOTHING
    pod = airflow_pod(
        settings,
        account,
        container,
        tasks.values(settings, values),
        dags.parts(settings, image) + wait,
        component=f"{component.name}-{name}",
        annotations=rolled_by(settings),
        tmp=settings.airflow.tasks.tmp_size_limit,
        # A stopping worker takes no more tasks and ends those that it has.
        grace_period=tasks.grace_period(settings),
    )
    autoscaled = values.max_replicas != values.replicas
    return deployment(settings, pod, None if autoscaled else values.replicas)


def _autoscaler(
    settings: Settings, component: str, name: str, values: Workers
) -> Iterator[Manifest]:
    bounds = (values.replicas, values.max_replicas)
    if settings.airflow.keda.enabled:
        query = needed(settings, name, values.concurrency)
        yield by_query(settings, component, *bounds, query)
    elif not settings.airflow.stopped:
        yield by_cpu(settings, component, *bounds)


def _executor(settings: Settings) -> Executor:
    return RELEASES[settings.airflow.version].executor(settings.airflow.executor)


def _text(value: str) -> str:
    """As a text in SQL: neither queues nor names of executors have quotes."""
    return f"'{value}'"
