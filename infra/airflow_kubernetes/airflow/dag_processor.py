"""The DAG processor: parses DAG files and writes what it finds to the database."""

from collections.abc import Iterator, Sequence

from ..kubernetes.disruption import disruption_budget
from ..kubernetes.env import EnvVar, plain_env
from ..kubernetes.manifest import Manifest
from ..kubernetes.pod import Parts
from ..kubernetes.pod_settings import contents, merged
from ..kubernetes.rbac import ServiceAccount
from ..settings.schema import Settings
from . import dags
from .deployment import deployment
from .image_scripts import heartbeat_probes, script_container, wait_for_migrations
from .pod import airflow_container, airflow_pod, rolled_by
from .releases import RELEASES

DAG_PROCESSOR = "airflow-dag-processor"
"""The name of its Deployment, on every release."""


def dag_processor_manifests(
    settings: Settings, image: str, without_dags: str, of_tasks: str
) -> Iterator[Manifest]:
    """Its service account and Deployment, and one more for each bundle that has its own, whose
    image is `without_dags`. `of_tasks` is the image of task pods.
    """
    account = ServiceAccount(
        RELEASES[settings.airflow.version].dag_processor.name,
        values=settings.airflow.dag_processor.service_account,
    )
    yield from account.manifests(settings.namespace)
    records = plain_env(dags.image_variables(settings, of_tasks))
    own = dags.with_own_processor(settings)
    rest = dags.shared(settings) if own else None
    yield from _deployment(settings, account, image, records, rest)
    for name in own:
        yield from _deployment(settings, account, without_dags, (), [name], name)


def _deployment(
    settings: Settings,
    account: ServiceAccount,
    image: str,
    env: Sequence[EnvVar],
    bundles: Sequence[str] | None,
    name: str | None = None,
) -> Iterator[Manifest]:
    """A DAG processor of these bundles; None: of all. And its disruption budget."""
    component, values = (
        RELEASES[settings.airflow.version].dag_processor,
        settings.airflow.dag_processor,
    )
    code = dags.parts(settings, image, bundles=bundles)
    container = airflow_container(
        settings,
        component.name,
        image,
        values.resources,
        (*component.args, *(f"--bundle-name={each}" for each in bundles or ())),
        component.secrets,
        env=env,
        probes=heartbeat_probes("DagProcessorJob"),
    )
    parts = code + wait_for_migrations(settings, image)
    if dags.airflow_fetches(settings):
        # The DAG processor itself would only log that it cannot fetch; this makes its pod fail.
        # It fetches in the same way, perhaps with a proxy or a certificate of the values.
        needs = code + contents(merged(settings.pods, values))
        fetch = script_container(
            "fetch_dags",
            image,
            *(bundles or ()),
            env=container.env,
            parts=needs,
            resources=values.resources,
        )
        parts = Parts(init=(fetch,)) + parts
    if bundles is not None:
        sync = script_container(
            "sync_bundles", image, env=container.env, resources=values.resources
        )
        parts += Parts(init=(sync,))
    pod = airflow_pod(
        settings,
        account,
        container,
        values,
        parts,
        component=name and f"{component.name}-{name}",
        annotations=rolled_by(settings),
        evictable=True,
    )
    # Two of different DAG code, at a time, would each take back what the other has written.
    yield deployment(settings, pod, values.replicas, recreate=True)
    yield from disruption_budget(
        settings, pod.component, values.replicas, values.pod_disruption_budget
    )
