"""What each component may do in the cluster: the fewest verbs for what it runs.

A component without rules gets no token. Sources: the calls of the Kubernetes provider's
KubernetesExecutor, PodManager and KubernetesHook.
"""

from collections.abc import Iterator

from ..kubernetes.access import Rule, account, role
from ..kubernetes.metadata import Manifest
from ..settings.schema import Settings
from .releases import RELEASES

TASK = "task"
"""The component of KubernetesExecutor's pods."""

LAUNCH_PODS: list[Rule] = [
    # KubernetesExecutor and KubernetesPodOperator create, watch, adopt (patch) and delete pods.
    {
        "apiGroups": [""],
        "resources": ["pods"],
        "verbs": ["create", "delete", "get", "list", "patch", "watch"],
    },
    # They read the log of a pod: the operator to show it, the executor to tell why one failed.
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
]
# The operator tells why its pod does not start.
READ_EVENTS: Rule = {"apiGroups": [""], "resources": ["events"], "verbs": ["list"]}
# A deferred operator's pod is followed by the triggerer.
FOLLOW_PODS: list[Rule] = [
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    READ_EVENTS,
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
    if runs_tasks and tasks.launch_pods:
        return [*LAUNCH_PODS, READ_EVENTS, *([EXEC] if tasks.pods_exec else [])]
    if component == release.scheduler.name and executor.kubernetes:
        return LAUNCH_PODS
    if component == release.triggerer.name and tasks.launch_pods:
        return FOLLOW_PODS
    return []


def objects(settings: Settings, component: str) -> Iterator[Manifest]:
    """A component's service account and, where it has rules, its Role."""
    yield account(settings.namespace, component)
    if wanted := rules(settings, component):
        yield from role(settings.namespace, component, wanted)
