"""How a task pod ended: taken by the cluster, or by a limit of the task's own.

Pure functions over a pod as the API server describes it. Sources: Kubernetes' "Pod Lifecycle",
"Disruptions" (the condition DisruptionTarget) and "Node-pressure Eviction"; the kubelet's reasons
(pkg/kubelet/eviction/helpers.go, pkg/kubelet/lifecycle).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

Pod = dict[str, Any]

LOST = {"ContainerStatusUnknown", "Unknown"}
"""Reasons of a container whose node restarted: nobody knows how it ended."""

OF_NODE = {
    "NodeAffinity", "NodeLost", "NodeShutdown", "OutOfcpu", "OutOfmemory", "OutOfpods",
    "Preempting", "Shutdown", "Terminated", "TopologyAffinityError", "UnexpectedAdmissionError",
}  # fmt: skip
"""Reasons of a pod that its node refused, or ended."""

OWN_LIMITS = (
    ("Usage of EmptyDir volume", "volume"),
    ("ephemeral local storage usage exceeds", "storage"),
    ("exceeded its local ephemeral storage limit", "storage"),
)
"""Beginnings of the kubelet's messages for evictions that are not the node's fault."""

RAISE = {
    "tmp": "raise airflow.tasks.tmpSizeLimit",
    "volume": "raise its emptyDir in airflow.tasks.volumes",
    "storage": "raise the limit of ephemeral-storage in this task's pod_override",
    "memory": "raise airflow.tasks.resources.limits.memory, or this task's in its pod_override",
    "deadline": "raise activeDeadlineSeconds in this task's pod_override",
}


class End(NamedTuple):
    """`by_cluster`: the task did nothing wrong. `limit`: the task reached a limit of its own."""

    text: str
    by_cluster: bool = False
    limit: bool = False


def end(pod: Pod, *, gone: bool, fatal: frozenset[str] = frozenset()) -> End | None:
    """How a pod ended without success; None if it did not end. `gone`: the pod was deleted.

    `fatal` are reasons for which a pending pod never starts.
    """
    phase, taken = pod["status"].get("phase"), taken_by(pod)
    if gone and not taken:
        return None  # it got the label of another scheduler
    if phase == "Pending":
        if gone:
            return End(f"was taken before it began: {taken}", by_cluster=True)
        waiting = next(_waiting(pod, fatal), None)
        return End(f"cannot start: {waiting}") if waiting else None
    if phase == "Running" and gone:
        return End(f"was taken while the task ran: {taken}", by_cluster=True)
    return _failed(pod, taken) if phase == "Failed" else None


def taken_by(pod: Pod) -> str | None:
    """Who takes the pod from its node, and why; None if nobody does."""
    for condition in pod["status"].get("conditions", []):
        if condition["type"] == "DisruptionTarget" and condition["status"] == "True":
            return f"{condition.get('reason')}: {condition.get('message', '')}".rstrip(": ")
    return "it was deleted" if pod["metadata"].get("deletionTimestamp") else None


def out_of_memory(pod: Pod) -> str | None:
    """In whose memory a process was killed. Its pod may succeed: Airflow reports the failure of a
    process that it started, and ends well itself.
    """
    for name, ended in _terminated(pod):
        if ended.get("reason") == "OOMKilled":
            return (
                f"ran out of memory: {name} used all of its limit, {_memory(pod, name)}. "
                f"To allow more, {RAISE['memory']}"
            )
    return None


def _terminated(pod: Pod) -> Iterator[tuple[str, dict[str, Any]]]:
    status = pod["status"]
    for one in status.get("initContainerStatuses", []) + status.get("containerStatuses", []):
        if ended := one.get("state", {}).get("terminated"):
            yield one["name"], ended


def _failed(pod: Pod, taken: str | None) -> End:
    status = pod["status"]
    reason, message = status.get("reason", ""), status.get("message", "").strip()
    said = f"{reason}: {message}".strip(": ")
    killed = [(name, ended) for name, ended in _terminated(pod) if ended.get("exitCode")]
    if reason == "DeadlineExceeded":
        return End(f"ran longer than it may ({_deadline(pod)}): {RAISE['deadline']}", limit=True)
    for begin, kind in OWN_LIMITS:
        if reason == "Evicted" and begin in message:
            kind = "tmp" if kind == "volume" and '"tmp"' in message else kind
            return End(
                f"was ended by its node: {message.rstrip('. ')}. To allow more, {RAISE[kind]}",
                limit=True,
            )
    if (memory := out_of_memory(pod)) and not taken:
        return End(memory, limit=True)
    lost = any(ended.get("reason") in LOST for _, ended in killed)
    if taken or lost or reason in OF_NODE | {"Evicted"}:
        why = "; ".join(filter(None, (taken, said))) or "its node restarted"
        return End(f"was taken by the cluster: {why}", by_cluster=True)
    details = [
        f"{name} ended with exit code {ended['exitCode']} ({ended.get('reason')})"
        for name, ended in killed
    ]
    return End("failed: " + ("; ".join(details) or said or "no reason is given"))


def _waiting(pod: Pod, fatal: frozenset[str]) -> Iterator[str]:
    status = pod["status"]
    for one in status.get("initContainerStatuses", []) + status.get("containerStatuses", []):
        waiting = one.get("state", {}).get("waiting", {})
        if waiting.get("reason") in fatal:
            yield f"{waiting['reason']}: {waiting.get('message', '')}".rstrip(": ")


def _memory(pod: Pod, name: str) -> str:
    for one in pod["spec"].get("initContainers", []) + pod["spec"]["containers"]:
        if one["name"] == name:
            limit = one.get("resources", {}).get("limits", {}).get("memory")
            return limit or "all that the node has"
    return "unknown"


def _deadline(pod: Pod) -> str:
    seconds = pod["spec"].get("activeDeadlineSeconds")
    return f"activeDeadlineSeconds: {seconds}" if seconds else "a deadline"
