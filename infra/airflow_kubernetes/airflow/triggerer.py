"""The triggerer: waits for the events of deferred tasks."""

from collections.abc import Iterator

from ..kubernetes.manifest import Manifest
from ..kubernetes.rbac import ServiceAccount
from ..settings.schema import Settings
from . import dags
from .deployment import deployment
from .image_scripts import heartbeat_probes, wait_for_migrations
from .pod import airflow_container, airflow_pod, rolled_by
from .releases import RELEASES


def triggerer_manifests(settings: Settings, image: str) -> Iterator[Manifest]:
    """Its service account and its Deployment."""
    release = RELEASES[settings.airflow.version]
    component, values = release.triggerer, settings.airflow.triggerer
    account = ServiceAccount(component.name, bound_elsewhere=settings.airflow.tasks.launch_pods)
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
        parts = dags.parts(settings) + parts
    pod = airflow_pod(
        settings, account, container, parts, annotations=rolled_by(settings), evictable=True
    )
    yield from account.manifests(settings.namespace)
    yield deployment(settings, pod, values.replicas)
