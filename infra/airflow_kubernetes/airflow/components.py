"""The components of every executor: the web one, scheduler, DAG processor, triggerer."""

from collections.abc import Iterator
from typing import Any

from ..kubernetes.manifest import DO_NOT_AWAIT, Manifest, manifest, selector
from ..kubernetes.pods import execute, http, probe
from ..settings.quantities import plus
from ..settings.schema import Component as ComponentSettings
from ..settings.schema import Resources, Settings
from . import pods, rbac, tasks
from .configuration import POD_TEMPLATE, SCHEDULER_HEALTH_PORT, WEB, WEB_PORT
from .executors import Executor
from .pod_template import CONFIG_MAP as POD_TEMPLATE_CONFIG_MAP
from .pod_template import KEY as POD_TEMPLATE_KEY
from .pod_template import pod_template
from .releases import BROKER, RELEASES, RESULTS, Component
from .workload import MARGIN, deployment


def objects(settings: Settings, image: str, task_image: str) -> Iterator[Manifest]:
    """Every object of these components. `task_image` is that of the pod template."""
    release = RELEASES[settings.airflow.version]
    for component in release.components:
        yield from rbac.objects(settings, component.name)
    yield _service(settings, release.web.component)
    yield web(settings, image)
    yield scheduler(settings, image, task_image)
    for component in (release.dag_processor, release.triggerer):
        yield background(settings, image, component)


def web(settings: Settings, image: str) -> Manifest:
    """The UI and the API: 3.x's API server, 2.x's webserver."""
    release = RELEASES[settings.airflow.version].web
    wanted = settings.airflow.api_server
    component = release.component
    container = _container(settings, image, component, wanted.resources) | {
        "ports": [{"name": "http", "containerPort": WEB_PORT}],
        "startupProbe": probe(http(release.alive, WEB_PORT), period=1, failures=180),
        "livenessProbe": probe(http(release.alive, WEB_PORT), period=20, failures=5, timeout=10),
        "readinessProbe": probe(http(release.ready, WEB_PORT), period=10, failures=3, timeout=10),
    }
    return deployment(settings, component, wanted.replicas, _pod(settings, component, container))


def scheduler(settings: Settings, image: str, task_image: str) -> Manifest:
    """The scheduler: with the pod template where its executor starts pods, with room for tasks
    where it runs them itself.
    """
    release = RELEASES[settings.airflow.version]
    executor = release.executor(settings.airflow.executor)
    component, wanted = release.scheduler, settings.airflow.scheduler
    health = http("/health", SCHEDULER_HEALTH_PORT)
    if executor.blocks_its_scheduler:
        # No heartbeat while a task runs: that is no reason to kill both.
        health = {"tcpSocket": {"port": SCHEDULER_HEALTH_PORT}}
    needs = (*component.secrets, *((BROKER, RESULTS) if executor.celery else ()))
    resources = scheduler_resources(settings, executor)
    container = pods.container(
        settings, image, component.name, ("airflow", *component.command), needs, resources
    ) | {
        "ports": [{"name": "health", "containerPort": SCHEDULER_HEALTH_PORT}],
        "startupProbe": probe(health, period=1, failures=180),
        "livenessProbe": probe(health, period=30, failures=5, timeout=10),
        "readinessProbe": probe(health, period=10, failures=3, timeout=10),
    }
    checksum_of: list[Any] = []
    volumes: list[dict[str, Any]] = []
    if executor.kubernetes:
        # One file by subPath: Airflow follows no ConfigMap's `..data` links in its home.
        container["volumeMounts"].append(
            {
                "name": "pod-template",
                "mountPath": POD_TEMPLATE,
                "subPath": POD_TEMPLATE_KEY,
                "readOnly": True,
            }
        )
        volumes = [{"name": "pod-template", "configMap": {"name": POD_TEMPLATE_CONFIG_MAP}}]
        checksum_of = [pod_template(settings, task_image)]
    grace = settings.airflow.tasks.grace_period
    pod = pods.spec(
        settings,
        component.name,
        [container, *([pending_pods(settings, image)] if executor.kubernetes else [])],
        init=[pods.wait(settings, image), pods.wait_for_tasks(settings, image)],
        token=bool(rbac.rules(settings, component.name)),
        more_volumes=volumes,
        grace_period=grace + MARGIN if executor.local else None,
    )
    if executor.local:
        pod = tasks.extend(settings, pod)
    return deployment(
        settings,
        component,
        wanted.replicas,
        pod,
        checksum_of=checksum_of,
        annotations=tasks.STAY if executor.local else {},
        # Never two of different executors at a time, nor of one executor for longer than replicas
        # ask for: each takes the other's tasks for orphans (apache/airflow#57618).
        recreate=True,
        # The new one waits for the tasks of another executor's scheduler.
        patience=2 * (grace + MARGIN) + 600,
    )


def pending_pods(settings: Settings, image: str) -> dict[str, Any]:
    """The side-car that tells in a task's log why its pod does not start."""
    args = ("python", f"{pods.CHECKS}/pending_pods.py")
    alive = pods.fresh("/tmp/pending-pods", 120)
    container = pods.container(settings, image, "pending-pods", args, [], pods.SMALL)
    del container["env"]  # empty, which Pulumi's provider leaves out
    return container | {
        "startupProbe": probe(alive, period=2, failures=60),
        "livenessProbe": probe(alive, period=60, failures=3),
        "readinessProbe": probe(alive, period=30, failures=3),
    }


def scheduler_resources(settings: Settings, executor: Executor) -> Resources:
    """The scheduler's own and, where tasks run beside it, those of `parallelism` tasks."""
    own = settings.airflow.scheduler.resources
    if not executor.local:
        return own
    slots = 1 if executor.serial else settings.airflow.parallelism
    return plus(own, slots, settings.airflow.tasks.resources)


def background(settings: Settings, image: str, component: Component) -> Manifest:
    """A component without an HTTP health address: its heartbeat in the database is its health.

    `airflow jobs check` would say the same in 4 to 6 s of CPU and 140 MB for each probe.
    """
    wanted: ComponentSettings = {
        "dag-processor": settings.airflow.dag_processor,
        "triggerer": settings.airflow.triggerer,
    }[component.name]
    heartbeat = execute("python", f"{pods.CHECKS}/heartbeat.py", component.job_type or "")
    container = _container(settings, image, component, wanted.resources) | {
        "startupProbe": probe(heartbeat, period=2, failures=90),
        "livenessProbe": probe(heartbeat, period=60, failures=5, timeout=20),
        "readinessProbe": probe(heartbeat, period=30, failures=3, timeout=20),
    }
    return deployment(settings, component, wanted.replicas, _pod(settings, component, container))


def _container(
    settings: Settings, image: str, component: Component, resources: Resources
) -> dict[str, Any]:
    args = ("airflow", *component.command)
    return pods.container(settings, image, component.name, args, component.secrets, resources)


def _pod(settings: Settings, component: Component, container: dict[str, Any]) -> dict[str, Any]:
    return pods.spec(
        settings,
        component.name,
        [container],
        init=[pods.wait(settings, container["image"])],
        token=bool(rbac.rules(settings, component.name)),
    )


def _service(settings: Settings, component: Component) -> Manifest:
    wanted = settings.airflow.api_server.service
    port: dict[str, Any] = {"name": "http", "port": WEB_PORT, "targetPort": WEB_PORT}
    if wanted.node_port is not None:
        port["nodePort"] = wanted.node_port
    return manifest(
        "v1",
        "Service",
        WEB,
        settings.namespace,
        "web",
        annotations=DO_NOT_AWAIT,
        spec={"type": wanted.type, "selector": selector(component.name), "ports": [port]},
    )
