"""Celery workers: a Deployment for each set of workers, and its autoscaler."""

from collections.abc import Iterator, Sequence

from ..kubernetes.manifest import Manifest, manifest
from ..kubernetes.pod import NOTHING, Placement
from ..kubernetes.probes import Probes, probe, recently_touched
from ..kubernetes.rbac import ServiceAccount
from ..settings.schema import Settings, Workers
from . import dags, tasks
from .deployment import deployment
from .executors import KUBERNETES_QUEUE
from .image_scripts import wait_for_migrations
from .pod import airflow_container, airflow_pod, rolled_by
from .releases import DATABASE, RELEASES

CPU_TARGET = 75
"""Per cent of the requested CPU above which the autoscaler adds worker pods."""

HEARTBEAT = "/tmp/worker-heartbeat"
"""The worker touches this file at each of Celery's own heartbeats (images/airflow/config);
`celery inspect ping` reports no more, with 7 s of CPU and 157 MB at each probe."""


def workers_manifests(settings: Settings, image: str) -> Iterator[Manifest]:
    """The service account of all workers; the Deployment and autoscaler of each set."""
    release = RELEASES[settings.airflow.version]
    executor = release.executor(settings.airflow.executor)
    account = ServiceAccount(
        release.worker.name, bound_elsewhere=settings.airflow.tasks.launch_pods
    )
    yield from account.manifests(settings.namespace)
    # Without task pods, workers serve their queue too: a DAG runs on any executor. Where a policy
    # sends that queue to pods, it still has the tasks of runs that began before the policy.
    shared = not executor.kubernetes or executor.pods_by_policy is not None
    for index, (name, values) in enumerate(settings.airflow.celery.workers.items()):
        more = [KUBERNETES_QUEUE] if index == 0 and shared else []
        yield _deployment(settings, account, image, name, values, [*values.queues, *more])
        if values.max_replicas > values.replicas and not settings.airflow.stopped:
            yield _autoscaler(settings, f"{account.component}-{name}", values)


def _deployment(
    settings: Settings,
    account: ServiceAccount,
    image: str,
    name: str,
    values: Workers,
    queues: Sequence[str],
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
            *("--queues", ",".join(dict.fromkeys(queues))),
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
        dags.parts(settings) + wait + tasks.parts(settings),
        component=f"{component.name}-{name}",
        annotations=rolled_by(settings),
        tmp=settings.airflow.tasks.tmp_size_limit,
        # A stopping worker takes no more tasks and ends those that it has.
        grace_period=tasks.grace_period(settings),
        placement=Placement(values.node_selector, values.tolerations),
    )
    autoscaled = values.max_replicas != values.replicas
    return deployment(settings, pod, None if autoscaled else values.replicas)


def _autoscaler(settings: Settings, component: str, values: Workers) -> Manifest:
    """Scales by CPU between the set's bounds; a worker that is removed ends its tasks first."""
    name = f"airflow-{component}"
    target = {"type": "Utilization", "averageUtilization": CPU_TARGET}
    return manifest(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        name,
        settings.namespace,
        component,
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": values.replicas,
            "maxReplicas": values.max_replicas,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    )
