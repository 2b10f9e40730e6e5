"""Rules for components that work with pods: the fewest verbs for what they run.

Sources: the calls of the Kubernetes provider's KubernetesExecutor, PodManager and KubernetesHook.
"""

from ..kubernetes.rbac import Rule


def _rule(resource: str, *verbs: str) -> Rule:
    return {"apiGroups": [""], "resources": [resource], "verbs": list(verbs)}


EXECUTE_IN_PODS = (
    _rule("pods", "create", "delete", "get", "list", "patch", "watch"),
    _rule("pods/log", "get"),
)
"""KubernetesExecutor creates, watches, adopts (patch) and deletes pods; the log of a failed pod
has the reason."""

SWEEP_PODS = (_rule("pods", "delete", "list"),)

COST_PODS = (_rule("pods", "list", "patch"),)
"""Annotations of Celery workers; Kubernetes has no verb for annotations alone."""

LAUNCH_PODS = (
    _rule("pods", "create", "delete", "get", "list", "patch"),
    _rule("pods/log", "get"),
    _rule("events", "list"),
)
"""KubernetesPodOperator does the same without watching, and reports why its pod does not start."""

FOLLOW_PODS = (
    _rule("pods", "delete", "get"),
    _rule("pods/log", "get"),
    _rule("events", "list", "watch"),
)
"""The triggerer follows the pod of a deferred operator, and deletes it if the task is cleared."""

EXEC = (_rule("pods/exec", "create", "get"),)
"""The operator reads XCom from its side-car by a command: websockets need get, SPDY create."""
