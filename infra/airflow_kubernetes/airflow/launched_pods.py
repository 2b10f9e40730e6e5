"""The pods that tasks launch (KubernetesPodOperator), in a namespace of their own.

Anyone who may create pods in a namespace may use every Secret, claim and service account in it, and
answer in the name of its Services. So this namespace has nothing of Airflow's, and its account may
do nothing: a token that may create pods there, and nowhere else, is not worth stealing.
"""

from collections.abc import Iterator

from ..kubernetes.manifest import Manifest, manifest
from ..kubernetes.namespace import LAUNCHED, launched_pods_namespace, tasks_namespace
from ..kubernetes.rbac import ServiceAccount, role_manifests
from ..settings.quantities import amount
from ..settings.schema import Settings
from . import rbac
from .releases import RELEASES
from .task_pod import TASK

NAME = f"airflow-{LAUNCHED}"
"""The service account of launched pods, without a Role and without a token; and their limits."""


def launched_pods_manifests(settings: Settings) -> Iterator[Manifest]:
    """The namespace, its quota, the pods' account, and the rights of those that launch them.

    Nothing where tasks may not launch pods.
    """
    if not settings.airflow.tasks.launch_pods:
        return
    namespace = tasks_namespace(settings.namespace)
    yield launched_pods_namespace(settings.namespace)
    yield _quota(settings)
    yield _limits(settings)
    account = settings.airflow.tasks.launched_pods.service_account
    yield from ServiceAccount(LAUNCHED, values=account).manifests(namespace)
    launch = rbac.LAUNCH_PODS + (rbac.EXEC if settings.airflow.tasks.pods_exec else ())
    for component, rules, accounts in (
        ("launch-pods", launch, _launchers(settings)),
        ("follow-pods", rbac.FOLLOW_PODS, [RELEASES[settings.airflow.version].triggerer.name]),
    ):
        subjects = [(settings.namespace, ServiceAccount(account).name) for account in accounts]
        yield from role_manifests(namespace, component, [*rules], subjects)


def _launchers(settings: Settings) -> list[str]:
    """The components in whose pods tasks run."""
    release = RELEASES[settings.airflow.version]
    executor = release.executor(settings.airflow.executor)
    places = {
        TASK: executor.kubernetes,
        release.worker.name: executor.celery,
        release.scheduler.name: executor.local,
    }
    return [component for component, runs_tasks in places.items() if runs_tasks]


def _quota(settings: Settings) -> Manifest:
    """All launched pods together request at most the budget, like Airflow itself."""
    budget = settings.budget
    hard = {
        "requests.cpu": budget.cpu,
        "requests.memory": budget.memory,
        "requests.storage": budget.storage,
    }
    return _of_namespace(settings, "ResourceQuota", {"hard": hard})


def _limits(settings: Settings) -> Manifest:
    """No container gets more than the budget; one that says nothing gets what a task gets.

    The quota refuses a pod without requests.
    """
    budget, task = settings.budget, settings.airflow.tasks.resources
    most = {"cpu": budget.cpu, "memory": budget.memory}
    container = {
        "type": "Container",
        "default": _at_most(most, task.limits.model_dump()),
        "defaultRequest": _at_most(most, task.requests.model_dump()),
        "max": most,
    }
    return _of_namespace(settings, "LimitRange", {"limits": [container]})


def _at_most(most: dict[str, str], quantities: dict[str, str]) -> dict[str, str]:
    """Kubernetes refuses a LimitRange whose default exceeds its maximum."""
    return {key: min(most[key], value, key=amount) for key, value in quantities.items()}


def _of_namespace(settings: Settings, kind: str, spec: Manifest) -> Manifest:
    return manifest("v1", kind, NAME, tasks_namespace(settings.namespace), LAUNCHED, spec=spec)
