"""The scheduler. It starts task pods, or runs tasks itself, if its executor does."""

from collections.abc import Iterator

from ..kubernetes.disruption import disruption_budget
from ..kubernetes.manifest import Manifest
from ..kubernetes.pod import Parts
from ..kubernetes.probes import Probes, http, probe, recently_touched, tcp
from ..kubernetes.rbac import ServiceAccount
from ..settings.resources import plus
from ..settings.schema import Resources, Settings
from . import dags, rbac, task_pod, tasks
from .configuration import SCHEDULER_HEALTH_PORT
from .credentials import credentials_env
from .deployment import deployment
from .executors import Executor
from .image_scripts import script_container, wait_for_migrations
from .pod import TMP_SIZE, airflow_container, airflow_pod, rolled_by
from .releases import BROKER, DATABASE, RELEASES, RESULTS


def scheduler_manifests(settings: Settings, image: str) -> Iterator[Manifest]:
    """Its service account, Role and Deployment. `image` has DAGs where the scheduler runs tasks."""
    release = RELEASES[settings.airflow.version]
    executor = release.executor(settings.airflow.executor)
    component, values = release.scheduler, settings.airflow.scheduler
    account = ServiceAccount(
        component.name,
        rbac.EXECUTE_IN_PODS if executor.kubernetes else (),
        bound_elsewhere=executor.local and settings.airflow.tasks.launch_pods,
        values=values.service_account,
    )
    celery = (BROKER, RESULTS) if executor.celery else ()
    container = airflow_container(
        settings,
        component.name,
        image,
        _resources(settings, executor),
        component.args,
        (*component.secrets, *celery),
        env=task_pod.executor_env(settings) if executor.kubernetes else (),
        ports={"health": SCHEDULER_HEALTH_PORT},
        probes=_probes(executor),
    )
    # Without the image: that changes with every DAG, and the kubelet writes it into a running pod.
    template = [task_pod.template(settings, "")] if executor.kubernetes else []
    pod = airflow_pod(
        settings,
        account,
        container,
        tasks.values(settings, values) if executor.local else values,
        _parts(settings, executor, image),
        annotations=rolled_by(settings, *template),
        tmp=settings.airflow.tasks.tmp_size_limit if executor.local else TMP_SIZE,
        grace_period=tasks.grace_period(settings) if executor.local else None,
        evictable=not executor.local,
    )
    yield from account.manifests(settings.namespace)
    yield deployment(
        settings,
        pod,
        values.replicas,
        # Schedulers of different executors, or more of them than replicas, must never run at a
        # time: each takes the other's tasks for orphans (apache/airflow#57618).
        recreate=True,
        # A new scheduler waits for the tasks of another executor's scheduler.
        patience=2 * tasks.grace_period(settings) + 600,
    )
    yield from disruption_budget(
        settings, pod.component, values.replicas, values.pod_disruption_budget
    )


def _resources(settings: Settings, executor: Executor) -> Resources:
    """The scheduler's own and, if it runs tasks, those of `parallelism` tasks."""
    own = settings.airflow.scheduler.resources
    if not executor.local:
        return own
    slots = 1 if executor.serial else settings.airflow.parallelism
    return plus(own, slots, settings.airflow.tasks.resources)


def _probes(executor: Executor) -> Probes:
    health = http("/health", SCHEDULER_HEALTH_PORT)
    if executor.blocks_its_scheduler:
        # No heartbeat while a task runs: that is no reason to kill both.
        health = tcp(SCHEDULER_HEALTH_PORT)
    return Probes(
        startup=probe(health, period=1, failures=180),
        liveness=probe(health, period=30, failures=5, timeout=10),
        readiness=probe(health, period=10, failures=3, timeout=10),
    )


def _parts(settings: Settings, executor: Executor, image: str) -> Parts:
    parts = wait_for_migrations(settings, image) + _wait_for_tasks(settings, image)
    if executor.local:
        parts = dags.parts(settings, image) + parts
    if executor.kubernetes:
        parts = task_pod.TEMPLATE_FILE + parts + _pending_pods(image)
    return parts


def _wait_for_tasks(settings: Settings, image: str) -> Parts:
    """An init container that waits for the tasks that another executor still runs.

    After a change of the executor, a scheduler would take them for orphans and run them again.
    """
    timeout = str(settings.airflow.tasks.grace_period)
    env = credentials_env(settings, [DATABASE])
    return Parts(init=(script_container("wait_for_tasks", image, "--timeout", timeout, env=env),))


def _pending_pods(image: str) -> Parts:
    """A side-car that writes into a task's log why its pod does not start."""
    alive = recently_touched("/tmp/pending-pods", 120)
    probes = Probes(
        startup=probe(alive, period=2, failures=60),
        liveness=probe(alive, period=60, failures=3),
        readiness=probe(alive, period=30, failures=3),
    )
    return Parts(sidecars=(script_container("pending_pods", image, probes=probes),))
