"""What each component may do in the cluster: the fewest verbs for what it runs.

A component without rules gets no token. Sources: the calls of the Kubernetes provider's
KubernetesExecutor, PodManager and KubernetesHook.
"""

from collections.abc import Iterator

from ..kubernetes.manifest import Manifest
from ..kubernetes.rbac import Rule, account, role
from ..settings.schema import Settings
from .releases import RELEASES

TASK = "task"
"""The component of KubernetesExecutor's pods."""

EXECUTE_IN_PODS: list[Rule] = [
    # KubernetesExecutor creates, watches, adopts (patch) and deletes pods; its log tells the reason
    # of one that failed.
    {
        "apiGroups": [""],
        "resources": ["pods"],
        "verbs": ["create", "delete", "get", "list", "patch", "watch"],
    },
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
]
LAUNCH_PODS: list[Rule] = [
    # KubernetesPodOperator does the same without watching, and tells why its pod does not start.
    {
        "apiGroups": [""],
        "resources": ["pods"],
        "verbs": ["create", "delete", "get", "list", "patch"],
    },
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["list"]},
]
FOLLOW_PODS: list[Rule] = [
    # A deferred operator's pod is followed, and deleted if its task is, by the triggerer.
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["delete", "get"]},
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["list", "watch"]},
]
# The operator's XCom comes out of its side-car by a command; websockets need get, SPDY create.
EXEC: Rule = {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create", "get"]}


def rules(settings: Settings, component: str) -> list[Rule]:
    """The rules of a component's Role in the namespace; none: no Role, no token."""
    release = RELEASES[settings.airflow.version]
    executor = release.executor(settings.airflow.executor)
    tasks = settings.airflow.tasks
    runs_tasks = {
        TASK: executor.kubernetes,
        release.worker.name: executor.celery,
        release.scheduler.name: executor.local,
    }.get(component, False)
    executes = component == release.scheduler.name and executor.kubernetes
    wanted: list[Rule] = list(EXECUTE_IN_PODS) if executes else []
    if runs_tasks and tasks.launch_pods:
        wanted += [*LAUNCH_PODS, *([EXEC] if tasks.pods_exec else [])]
    if component == release.triggerer.name and tasks.launch_pods:
        wanted += FOLLOW_PODS
    return wanted


def objects(settings: Settings, component: str) -> Iterator[Manifest]:
    """A component's service account and, where it has rules, its Role."""
    yield account(settings.namespace, component)
    if wanted := rules(settings, component):
        yield from role(settings.namespace, component, wanted)
