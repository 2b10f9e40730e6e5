"""How far an update is, read from the objects' own status. Pure functions.

The rules are those of `kubectl rollout status` and of Job conditions; a pod that cannot start is
told at once instead of after a timeout.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ..kubernetes.metadata import Manifest

STUCK = ("ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError", "CrashLoopBackOff")
"""Waiting reasons from which a container does not recover without a change."""

PATIENCE = {"CrashLoopBackOff": 3}
"""Restarts granted before a reason counts: a dependency may just have been away."""


@dataclass(frozen=True)
class Failure:
    """What failed and why; `pod` and `container` name the log worth reading, if there is one."""

    what: str
    why: str
    pod: str | None = None
    container: str | None = None


@dataclass(frozen=True)
class Progress:
    """Workloads that are ready, what each of the others waits for, and what failed."""

    ready: tuple[str, ...]
    waiting: dict[str, str]
    failures: tuple[Failure, ...]


def progress(objects: list[Manifest], names: set[tuple[str, str]]) -> Progress:
    """The state of the workloads `names` ((kind, name) pairs) in a listing of the cluster.

    The listing holds Deployments, StatefulSets, Jobs, ReplicaSets and Pods.
    """
    ready: list[str] = []
    waiting: dict[str, str] = {}
    failures: list[Failure] = []
    found = {(obj["kind"], obj["metadata"]["name"]): obj for obj in objects}
    for kind, name in sorted(names):
        label = f"{kind} {name}"
        obj = found.get((kind, name))
        if obj is None:
            waiting[label] = "not there yet"
            continue
        status = obj.get("status", {})
        failed = _condition(status, "Failed") if kind == "Job" else None
        if _is_ready(obj, status):
            ready.append(label)
            continue
        pods = list(_pods_of(obj, objects))
        stuck = [failure for pod in pods for failure in _stuck(label, pod)]
        if failed is not None:
            failures += stuck or [_job_failure(label, failed, pods)]
        elif stuck:
            failures += stuck
        else:
            waiting[label] = "; ".join(sorted({_state(pod) for pod in pods})) or "no pod yet"
    return Progress(tuple(ready), waiting, tuple(failures))


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


def _stuck(label: str, pod: Manifest) -> Iterator[Failure]:
    for container in _containers(pod):
        state = container.get("state", {}).get("waiting", {})
        reason = state.get("reason", "")
        if reason in STUCK and container.get("restartCount", 0) >= PATIENCE.get(reason, 0):
            why = f"{reason}: {state.get('message', '')}".rstrip(": ")
            yield Failure(label, why, pod["metadata"]["name"], container["name"])


def _job_failure(label: str, condition: Manifest, pods: list[Manifest]) -> Failure:
    why = f"{condition.get('reason', 'Failed')}: {condition.get('message', '')}"
    for pod in sorted(pods, key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True):
        for container in _containers(pod):
            if container.get("state", {}).get("terminated", {}).get("exitCode", 0) != 0:
                return Failure(label, why, pod["metadata"]["name"], container["name"])
    return Failure(label, why)


def _state(pod: Manifest) -> str:
    status = pod.get("status", {})
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"not scheduled: {condition.get('message', '')}"
    for container in _containers(pod):
        if container.get("ready"):
            continue
        state = container.get("state", {})
        if "waiting" in state:
            return f"{container['name']}: {state['waiting'].get('reason', 'waiting')}"
        if "running" in state:
            return f"{container['name']}: starting"
    return str(status.get("phase", "Pending")).lower()
