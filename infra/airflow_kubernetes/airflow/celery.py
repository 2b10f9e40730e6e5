"""Celery's part, for executors that have it: sets of workers, their autoscalers, Flower."""

from collections.abc import Iterator

from ..broker import redis
from ..kubernetes.manifest import DO_NOT_AWAIT, Manifest, manifest, selector
from ..kubernetes.pods import http, probe, secret_env
from ..secrets import CELERY_SECRET, FLOWER_PASSWORD
from ..settings.schema import Settings, Workers
from . import pods, rbac, tasks
from .executors import KUBERNETES_QUEUE
from .releases import DATABASE, RELEASES
from .workload import MARGIN, deployment

FLOWER_PORT = 5555
CPU_TARGET = 75
"""Per cent of the requested CPU above which the autoscaler adds worker pods."""

HEARTBEAT = "/tmp/worker-heartbeat"
"""The worker touches this file at each of Celery's own heartbeats (images/airflow/config);
`celery inspect ping` would tell no more in 7 s of CPU and 157 MB at each probe."""


def objects(settings: Settings, image: str) -> Iterator[Manifest]:
    """Every object of Celery's part; none for other executors."""
    release = RELEASES[settings.airflow.version]
    executor = release.executor(settings.airflow.executor)
    if not executor.celery:
        return
    if settings.broker.mode == "cluster":
        yield from redis.objects(settings)
    yield from rbac.objects(settings, release.worker.name)
    for index, (name, wanted) in enumerate(settings.airflow.celery.workers.items()):
        # Without pods of their own, tasks of that queue are everyone's: a DAG runs on any executor.
        # So are those of runs that began before the policy that sends the queue to pods.
        shared = not executor.kubernetes or executor.pods_by_policy is not None
        more = [KUBERNETES_QUEUE] if index == 0 and shared else []
        yield workers(settings, image, name, wanted, [*wanted.queues, *more])
        if wanted.max_replicas > wanted.replicas and not settings.airflow.stopped:
            yield autoscaler(settings, name, wanted)
    yield from rbac.objects(settings, release.flower.name)
    yield from flower(settings, image)


def workers(
    settings: Settings, image: str, name: str, wanted: Workers, queues: list[str]
) -> Manifest:
    """One set of workers.

    A Deployment, because logs are on the shared volume: while an old worker ends its tasks, a new
    one works already; a StatefulSet would wait for it.
    """
    component = RELEASES[settings.airflow.version].worker
    args = (
        "airflow", *component.command,
        "--queues", ",".join(dict.fromkeys(queues)),
        "--concurrency", str(wanted.concurrency),
    )  # fmt: skip
    container = pods.container(
        settings, image, component.name, args, component.secrets, wanted.resources
    ) | {
        "startupProbe": probe(pods.fresh(HEARTBEAT, 60), period=2, failures=90),
        # A worker that is stuck is restarted; one whose broker is away for minutes is not.
        "livenessProbe": probe(pods.fresh(HEARTBEAT, 600), period=60, failures=3),
        "readinessProbe": probe(pods.fresh(HEARTBEAT, 60), period=15, failures=2),
    }
    pod = pods.spec(
        settings,
        component.name,
        [container],
        # 2.x workers use the database themselves.
        init=[pods.wait(settings, image)] if DATABASE in component.secrets else None,
        token=bool(rbac.rules(settings, component.name)),
        # A warm shutdown: told to stop, a worker takes no more tasks and ends those it has.
        grace_period=settings.airflow.tasks.grace_period + MARGIN,
    )
    return deployment(
        settings,
        component,
        wanted.replicas if wanted.max_replicas == wanted.replicas else None,
        tasks.placed(tasks.extend(settings, pod), wanted.node_selector, wanted.tolerations),
        name=f"{component.name}-{name}",
        annotations=tasks.STAY,
    )


def autoscaler(settings: Settings, name: str, wanted: Workers) -> Manifest:
    """Between the set's bounds by CPU; a worker that is taken away ends its tasks first."""
    worker = f"{RELEASES[settings.airflow.version].worker.name}-{name}"
    return manifest(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        f"airflow-{worker}",
        settings.namespace,
        worker,
        spec={
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": f"airflow-{worker}",
            },
            "minReplicas": wanted.replicas,
            "maxReplicas": wanted.max_replicas,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": CPU_TARGET},
                    },
                }
            ],
        },
    )


def flower(settings: Settings, image: str) -> Iterator[Manifest]:
    """Flower behind basic authentication, and its Service."""
    component = RELEASES[settings.airflow.version].flower
    container = pods.container(
        settings, image, component.name, ("airflow", *component.command),
        component.secrets, settings.airflow.celery.flower.resources,
    )  # fmt: skip
    container["env"] += [
        secret_env("FLOWER_PASSWORD", CELERY_SECRET, FLOWER_PASSWORD),
        {
            "name": "AIRFLOW__CELERY__FLOWER_BASIC_AUTH",
            "value": f"{settings.airflow.admin.username}:$(FLOWER_PASSWORD)",
        },
    ]
    # The one address that asks for no password, and tells nothing.
    health = http("/healthcheck", FLOWER_PORT)
    container |= {
        "ports": [{"name": "http", "containerPort": FLOWER_PORT}],
        "startupProbe": probe(health, period=2, failures=90),
        "livenessProbe": probe(health, period=30, failures=5),
        "readinessProbe": probe(health, period=10, failures=3),
    }
    pod = pods.spec(settings, component.name, [container], keep_logs=False)
    yield manifest(
        "v1",
        "Service",
        "airflow-flower",
        settings.namespace,
        component.name,
        annotations=DO_NOT_AWAIT,
        spec={
            "selector": selector(component.name),
            "ports": [{"name": "http", "port": FLOWER_PORT, "targetPort": FLOWER_PORT}],
        },
    )
    yield deployment(settings, component, 1, pod)
