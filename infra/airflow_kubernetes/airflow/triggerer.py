"""The triggerer: waits for the events of deferred tasks."""

from collections.abc import Iterator

from ..kubernetes.disruption import disruption_budget
from ..kubernetes.manifest import Manifest
from ..kubernetes.rbac import ServiceAccount
from ..settings.schema import Settings
from . import dags
from .autoscaling import by_query
from .deployment import deployment
from .image_scripts import heartbeat_probes, wait_for_migrations
from .pod import airflow_container, airflow_pod, rolled_by
from .releases import RELEASES

CAPACITY = 1000
"""Airflow's default."""


def triggerer_manifests(settings: Settings, image: str) -> Iterator[Manifest]:
    """Its service account, its Deployment and, with KEDA, its autoscaler."""
    release = RELEASES[settings.airflow.version]
    component, values = release.triggerer, settings.airflow.triggerer
    account = ServiceAccount(
        component.name,
        bound_elsewhere=settings.airflow.tasks.launch_pods,
        values=values.service_account,
    )
    container = airflow_container(
        settings,
        component.name,
        image,
        values.resources,
        component.args,
        component.secrets,
        probes=heartbeat_probes("TriggererJob"),
    )
    parts = wait_for_migrations(settings, image)
    if not release.dag_bundles:  # 2.x looks for triggers in DAG files too
        parts = dags.parts(settings, image) + parts
    pod = airflow_pod(
        settings, account, container, values, parts, annotations=rolled_by(settings), evictable=True
    )
    yield from account.manifests(settings.namespace)
    autoscaled = values.most > values.replicas
    yield deployment(settings, pod, None if autoscaled else values.replicas)
    yield from disruption_budget(settings, pod.component, values.most, values.pod_disruption_budget)
    if autoscaled:
        yield by_query(settings, component.name, values.replicas, values.most, needed(settings))


def needed(settings: Settings) -> str:
    """The query for the number of triggerers: each takes as many triggers as its capacity."""
    options = settings.airflow.options.get("triggerer", {})
    # The option's name on 3.x, and on 2.x; the other one is refused.
    capacity = options.get("capacity", options.get("default_capacity", CAPACITY))
    return f"SELECT CEIL(COUNT(*) / {int(capacity)}) FROM `trigger`"  # noqa: S608
