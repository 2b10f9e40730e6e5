"""How far an update is, read from the objects' own status. Pure functions.

The rules are those of `kubectl rollout status` and of Job conditions; a pod that cannot start is
told at once instead of after a timeout.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ..kubernetes.manifest import Manifest

STUCK = ("ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError", "CrashLoopBackOff")
"""Waiting reasons from which a container does not recover without a change."""

PATIENCE = {"CrashLoopBackOff": 3}
"""Restarts granted before a reason counts: a dependency may just have been away."""


@dataclass(frozen=True)
class Trouble:
    """A workload that is not ready and why; `pod` and `container` name a log worth reading."""

    what: str
    why: str
    pod: str | None = None
    container: str | None = None


@dataclass(frozen=True)
class Progress:
    """Workloads that are ready, those that may become so, and those that cannot any more."""

    ready: tuple[str, ...]
    waiting: tuple[Trouble, ...]
    failures: tuple[Trouble, ...]


def progress(objects: list[Manifest], names: set[tuple[str, str]]) -> Progress:
    """The state of the workloads `names` ((kind, name) pairs) in a listing of the cluster.

    The listing holds Deployments, StatefulSets, Jobs, ReplicaSets and Pods.
    """
    ready: list[str] = []
    waiting: list[Trouble] = []
    failures: list[Trouble] = []
    found = {(obj["kind"], obj["metadata"]["name"]): obj for obj in objects}
    for kind, name in sorted(names):
        label = f"{kind} {name}"
        obj = found.get((kind, name))
        if obj is None:
            waiting.append(Trouble(label, "not there yet"))
            continue
        status = obj.get("status", {})
        if _is_ready(obj, status):
            ready.append(label)
            continue
        failed = _condition(status, "Failed") if kind == "Job" else None
        pods = list(_pods_of(obj, objects))
        stuck = [trouble for pod in pods for trouble in _stuck(label, pod)]
        if failed is not None:
            failures += stuck or [_job_failure(label, failed, pods)]
        elif stuck:
            failures += stuck
        else:
            waiting.append(_waiting(label, status, pods))
    return Progress(tuple(ready), tuple(waiting), tuple(failures))


def _waiting(label: str, status: Manifest, pods: list[Manifest]) -> Trouble:
    """What a workload waits for: the newest pod that is not ready, or why there is none."""
    for pod in sorted(pods, key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True):
        why, container = _state(pod)
        if why != "ready":
            return Trouble(label, why, pod["metadata"]["name"], container)
    refused = _condition(status, "ReplicaFailure")
    return Trouble(label, refused["message"] if refused else "running" if pods else "no pod yet")


def _is_ready(obj: Manifest, status: Manifest) -> bool:
    if obj["kind"] == "Job":
        return _condition(status, "Complete") is not None
    wanted = obj["spec"].get("replicas", 1)
    current = status.get("observedGeneration", 0) >= obj["metadata"]["generation"]
    updated = status.get("updatedReplicas", 0) == wanted == status.get("replicas", 0)
    key = "availableReplicas" if obj["kind"] == "Deployment" else "readyReplicas"
    return bool(current and updated and status.get(key, 0) == wanted)


def _condition(status: Manifest, kind: str) -> Manifest | None:
    for condition in status.get("conditions", []):
        if condition["type"] == kind and condition["status"] == "True":
            found: Manifest = condition
            return found
    return None


def _pods_of(owner: Manifest, objects: list[Manifest]) -> Iterator[Manifest]:
    """The pods of the owner's newest revision; those that an update replaces do not count."""
    wanted = {owner["metadata"]["uid"]}
    if owner["kind"] == "Deployment":
        key = "deployment.kubernetes.io/revision"
        newest = owner["metadata"].get("annotations", {}).get(key)
        wanted = {
            obj["metadata"]["uid"]
            for obj in objects
            if obj["kind"] == "ReplicaSet"
            and _owned(obj, wanted)
            and obj["metadata"].get("annotations", {}).get(key) == newest
        }
    revision = owner.get("status", {}).get("updateRevision")
    for obj in objects:
        if obj["kind"] == "Pod" and _owned(obj, wanted):
            own = obj["metadata"].get("labels", {}).get("controller-revision-hash")
            if revision is None or own == revision:
                yield obj


def _owned(obj: Manifest, owners: set[str]) -> bool:
    return any(ref["uid"] in owners for ref in obj["metadata"].get("ownerReferences", []))


def _containers(pod: Manifest) -> Iterator[Manifest]:
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses", [])
    yield from status.get("containerStatuses", [])


def _stuck(label: str, pod: Manifest) -> Iterator[Trouble]:
    for container in _containers(pod):
        state = container.get("state", {}).get("waiting", {})
        reason = state.get("reason", "")
        if reason in STUCK and container.get("restartCount", 0) >= PATIENCE.get(reason, 0):
            why = f"failed: {reason}: {state.get('message', '')}".rstrip(": ")
            yield Trouble(label, why, pod["metadata"]["name"], container["name"])


def _job_failure(label: str, condition: Manifest, pods: list[Manifest]) -> Trouble:
    why = f"failed: {condition.get('reason', '')}: {condition.get('message', '')}"
    for pod in sorted(pods, key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True):
        for container in _containers(pod):
            if container.get("state", {}).get("terminated", {}).get("exitCode", 0) != 0:
                return Trouble(label, why, pod["metadata"]["name"], container["name"])
    return Trouble(label, why)


def _state(pod: Manifest) -> tuple[str, str | None]:
    """Why a pod is not ready ("ready" if it is) and the container that it waits for."""
    status = pod.get("status", {})
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"not scheduled: {condition.get('message', '')}", None
    for container in _containers(pod):
        state, name = container.get("state", {}), container["name"]
        ended = state.get("terminated", {})
        if container.get("ready") or ended.get("exitCode") == 0:
            continue
        if ended:
            return f"{name}: {ended.get('reason', 'ended')}", name
        why = state.get("waiting", {}).get("reason", "starting" if state else "waiting")
        last = container.get("lastState", {}).get("terminated", {})
        if last:
            why += f", restarted {container['restartCount']} times ({last.get('reason', '')})"
        return f"{name}: {why}", name if "running" in state or last else None
    phase = str(status.get("phase", "Pending")).lower()
    return ("ready" if phase in ("running", "succeeded") else phase), None
