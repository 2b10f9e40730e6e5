"""The long-running components: API server, scheduler, DAG processor, triggerer."""

from collections.abc import Iterator
from typing import Any

from ..kubernetes.access import Rule, account, role
from ..kubernetes.metadata import DO_NOT_AWAIT, Manifest, manifest, selector
from ..kubernetes.pods import execute, http, probe
from ..settings.schema import Component as ComponentSettings
from ..settings.schema import Settings
from . import pods
from .configuration import POD_TEMPLATE, SCHEDULER_HEALTH_PORT, WEB_PORT
from .executors import EXECUTORS
from .pod_template import CONFIG_MAP as POD_TEMPLATE_CONFIG_MAP
from .pod_template import KEY as POD_TEMPLATE_KEY
from .pod_template import pod_template
from .releases import RELEASES, Component

LAUNCH_PODS: list[Rule] = [
    # What KubernetesExecutor calls: it creates, watches, adopts (patch) and deletes task pods.
    {
        "apiGroups": [""],
        "resources": ["pods"],
        "verbs": ["create", "delete", "get", "list", "patch", "watch"],
    },
    # It reads the log of a pod that failed, to tell why.
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
]


def objects(settings: Settings, image: str) -> Iterator[Manifest]:
    """Every object of the long-running components."""
    release = RELEASES[settings.airflow.version]
    for component in release.components:
        yield account(settings.namespace, component.name)
    if EXECUTORS[settings.airflow.executor].kubernetes:
        yield from role(settings.namespace, release.scheduler.name, LAUNCH_PODS)
    yield _service(settings, release.web)
    yield api_server(settings, image)
    yield scheduler(settings, image)
    for component in (release.dag_processor, release.triggerer):
        yield background(settings, image, component)


def api_server(settings: Settings, image: str) -> Manifest:
    """The web component: 3.x's API server, 2.x's webserver."""
    release = RELEASES[settings.airflow.version]
    wanted = settings.airflow.api_server
    container = pods.container(
        settings, image, release.web.name, ["airflow", release.web.command],
        release.web.secrets, wanted.resources,
    ) | {
        "ports": [{"name": "http", "containerPort": WEB_PORT}],
        "startupProbe": probe(http(release.alive, WEB_PORT), period=1, failures=180),
        "livenessProbe": probe(http(release.alive, WEB_PORT), period=20, failures=5, timeout=10),
        "readinessProbe": probe(http(release.ready, WEB_PORT), period=10, failures=3, timeout=10),
    }  # fmt: skip
    return _deployment(settings, image, release.web, wanted, container)


def scheduler(settings: Settings, image: str) -> Manifest:
    """The scheduler, with the pod template where its executor starts pods."""
    component = RELEASES[settings.airflow.version].scheduler
    wanted = settings.airflow.scheduler
    health = http("/health", SCHEDULER_HEALTH_PORT)
    container = pods.container(
        settings, image, component.name, ["airflow", component.command],
        component.secrets, wanted.resources,
    ) | {
        "ports": [{"name": "health", "containerPort": SCHEDULER_HEALTH_PORT}],
        "startupProbe": probe(health, period=1, failures=180),
        "livenessProbe": probe(health, period=30, failures=5, timeout=10),
        "readinessProbe": probe(health, period=10, failures=3, timeout=10),
    }  # fmt: skip
    if not EXECUTORS[settings.airflow.executor].kubernetes:
        return _deployment(settings, image, component, wanted, container)
    # One file by subPath: Airflow follows no ConfigMap's `..data` links in its home.
    container["volumeMounts"].append(
        {
            "name": "pod-template",
            "mountPath": POD_TEMPLATE,
            "subPath": POD_TEMPLATE_KEY,
            "readOnly": True,
        }
    )
    volume = {"name": "pod-template", "configMap": {"name": POD_TEMPLATE_CONFIG_MAP}}
    return _deployment(
        settings, image, component, wanted, container,
        checksum_of=[pod_template(settings, image)],
        spec={"token": True, "more_volumes": [volume]},
    )  # fmt: skip


def background(settings: Settings, image: str, component: Component) -> Manifest:
    """A component without an HTTP health address: its heartbeat in the database is its health.

    `airflow jobs check` would say the same in 4 to 6 s of CPU and 140 MB for each probe.
    """
    wanted = {
        "dag-processor": settings.airflow.dag_processor,
        "triggerer": settings.airflow.triggerer,
    }[component.name]
    heartbeat = execute("python", f"{pods.CHECKS}/heartbeat.py", component.job_type or "")
    container = pods.container(
        settings, image, component.name, ["airflow", component.command],
        component.secrets, wanted.resources,
    ) | {
        "startupProbe": probe(heartbeat, period=2, failures=90),
        "livenessProbe": probe(heartbeat, period=60, failures=5, timeout=20),
        "readinessProbe": probe(heartbeat, period=30, failures=3, timeout=20),
    }  # fmt: skip
    return _deployment(settings, image, component, wanted, container)


def _deployment(
    settings: Settings,
    image: str,
    component: Component,
    wanted: ComponentSettings,
    container: dict[str, Any],
    *,
    checksum_of: list[Any] | None = None,
    spec: dict[str, Any] | None = None,
) -> Manifest:
    return manifest(
        "apps/v1",
        "Deployment",
        f"airflow-{component.name}",
        settings.namespace,
        component.name,
        spec={
            "replicas": wanted.replicas,
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": selector(component.name)},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            },
            "template": {
                "metadata": pods.rolling(settings, component.name, *(checksum_of or [])),
                "spec": pods.spec(
                    settings,
                    component.name,
                    [container],
                    init=[pods.wait(settings, image)],
                    **(spec or {}),
                ),
            },
        },
    )


def _service(settings: Settings, web: Component) -> Manifest:
    wanted = settings.airflow.api_server.service
    port: dict[str, Any] = {"name": "http", "port": WEB_PORT, "targetPort": WEB_PORT}
    if wanted.node_port is not None:
        port["nodePort"] = wanted.node_port
    return manifest(
        "v1",
        "Service",
        f"airflow-{web.name}",
        settings.namespace,
        web.name,
        annotations=DO_NOT_AWAIT,
        spec={"type": wanted.type, "selector": selector(web.name), "ports": [port]},
    )
