"""The DAG processor: parses DAG files and writes what it finds to the database."""

from collections.abc import Iterator

from ..kubernetes.env import plain_env
from ..kubernetes.manifest import Manifest
from ..kubernetes.pod import Parts
from ..kubernetes.rbac import ServiceAccount
from ..settings.schema import Settings
from . import dags
from .deployment import deployment
from .image_scripts import heartbeat_probes, script_container, wait_for_migrations
from .pod import airflow_container, airflow_pod, rolled_by
from .releases import RELEASES

DAG_PROCESSOR = "airflow-dag-processor"
"""The name of its Deployment, on every release."""


def dag_processor_manifests(settings: Settings, image: str, of_tasks: str) -> Iterator[Manifest]:
    """Its service account and Deployment. `of_tasks` is the image of task pods."""
    component = RELEASES[settings.airflow.version].dag_processor
    values = settings.airflow.dag_processor
    account = ServiceAccount(component.name)
    code = dags.parts(settings)
    container = airflow_container(
        settings,
        component.name,
        image,
        values.resources,
        component.args,
        component.secrets,
        env=plain_env(dags.image_variables(settings, of_tasks)),
        probes=heartbeat_probes("DagProcessorJob"),
    )
    parts = code + wait_for_migrations(settings, image)
    if dags.airflow_fetches(settings):
        # The DAG processor itself would only log that it cannot fetch; this makes its pod fail.
        fetch = script_container(
            "fetch_dags", image, env=container.env, parts=code, resources=values.resources
        )
        parts = Parts(init=(fetch,)) + parts
    pod = airflow_pod(
        settings, account, container, parts, annotations=rolled_by(settings), evictable=True
    )
    yield from account.manifests(settings.namespace)
    # Two of different DAG code, at a time, would each take back what the other has written.
    yield deployment(settings, pod, values.replicas, recreate=True)
