"""The web component: the UI and the REST API. 3.x calls it API server, 2.x webserver."""

from collections.abc import Iterator
from typing import Any

from ..kubernetes.disruption import disruption_budget
from ..kubernetes.manifest import DO_NOT_AWAIT, Manifest, manifest, selector
from ..kubernetes.probes import Probes, http, probe
from ..kubernetes.rbac import ServiceAccount
from ..settings.schema import Settings
from .autoscaling import by_cpu
from .configuration import WEB, WEB_PORT, behind_tls, path
from .deployment import deployment
from .image_scripts import wait_for_migrations
from .pod import airflow_container, airflow_pod, rolled_by
from .releases import RELEASES


def web_manifests(settings: Settings, image: str) -> Iterator[Manifest]:
    """Its service account, Deployment, Service and perhaps autoscaler."""
    web = RELEASES[settings.airflow.version].web
    component, values = web.component, settings.airflow.api_server
    account = ServiceAccount(component.name, values=values.service_account)
    alive, ready = (
        http(f"{path(settings)}{address}", WEB_PORT) for address in (web.alive, web.ready)
    )
    container = airflow_container(
        settings,
        component.name,
        image,
        values.resources,
        (*component.args, *(web.tls_args if behind_tls(settings) else ())),
        component.secrets,
        ports={"http": WEB_PORT},
        probes=Probes(
            startup=probe(alive, period=1, failures=180),
            liveness=probe(alive, period=20, failures=5, timeout=10),
            readiness=probe(ready, period=10, failures=3, timeout=10),
        ),
    )
    parts = wait_for_migrations(settings, image)
    pod = airflow_pod(
        settings, account, container, values, parts, annotations=rolled_by(settings), evictable=True
    )
    yield from account.manifests(settings.namespace)
    autoscaled = values.most > values.replicas
    yield deployment(settings, pod, None if autoscaled else values.replicas)
    yield from disruption_budget(settings, pod.component, values.most, values.pod_disruption_budget)
    if autoscaled and not settings.airflow.stopped:
        yield by_cpu(settings, component.name, values.replicas, values.most)
    yield _service(settings, component.name)


def _service(settings: Settings, component: str) -> Manifest:
    values = settings.airflow.api_server.service
    port: dict[str, Any] = {"name": "http", "port": WEB_PORT, "targetPort": WEB_PORT}
    if values.node_port is not None:
        port["nodePort"] = values.node_port
    return manifest(
        "v1",
        "Service",
        WEB,
        settings.namespace,
        "web",
        annotations=DO_NOT_AWAIT,
        spec={"type": values.type, "selector": selector(component), "ports": [port]},
    )
