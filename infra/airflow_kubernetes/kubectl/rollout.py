"""The progress of workloads, read from the status of their objects. Pure functions.

Ready is what `kubectl rollout status` and the conditions of Jobs say. A pod that cannot start is a
failure long before their timeout.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..kubernetes.manifest import Manifest

PATIENCE = {
    # Kubelet pulls again after 10 s, 20 s, 40 s and 80 s: the registry may be busy or unreachable.
    "ErrImagePull": 150.0,
    "ImagePullBackOff": 150.0,
    # Another controller may still create the Secret or ConfigMap.
    "CreateContainerConfigError": 30.0,
    "InvalidImageName": 0.0,
    "ErrImageNeverPull": 0.0,
}
"""Seconds after which a container that waits for this reason is a failure."""

RESTARTS = 2
"""Restarts after which a container that crashes again is a failure, half a minute after the first
crash; a dependency may have been unavailable for a moment."""

READINESS = 90.0
"""Seconds after which a server that has started and is not ready is a failure: it may refuse the
password of its own Secret."""

MISCONFIGURED = os.EX_CONFIG
"""The exit code by which the image's scripts say that no restart helps: a refused password, a
missing host or branch (sysexits.h)."""

PULL_PATIENCE = {
    r"\bNotFound\b|manifest unknown|name unknown": 0.0,
    r"access denied|[Uu]nauthorized|authorization failed|no basic auth credentials": 0.0,
    r"no such host": 15.0,
}
"""By the message of ImagePullBackOff, as containerd and CRI-O write it: pulling again is no use."""


@dataclass(frozen=True)
class Unready:
    """A workload that is not ready, and why.

    `pod` and `container` name a log worth reading. With a `patience` it is a failure after so many
    seconds; without one the workload may just need time.
    """

    workload: str
    reason: str
    pod: str | None = None
    container: str | None = None
    patience: float | None = None


def unready(objects: list[Manifest], names: set[tuple[str, str]]) -> list[Unready]:
    """The workloads `names` ((kind, name) pairs) that are not ready in a listing of the cluster.

    The listing has Deployments, StatefulSets, Jobs, ReplicaSets and Pods.
    """
    found = {(obj["kind"], obj["metadata"]["name"]): obj for obj in objects}
    result = []
    for kind, name in sorted(names):
        workload = found.get((kind, name))
        if workload is None:
            result.append(Unready(f"{kind} {name}", "does not exist yet"))
        elif not _is_ready(workload):
            result.append(_unready(workload, objects))
    return result


def _is_ready(workload: Manifest) -> bool:
    status = workload.get("status", {})
    if workload["kind"] == "Job":
        return condition(workload, "Complete") is not None
    replicas = workload["spec"].get("replicas", 1)
    current = status.get("observedGeneration", 0) >= workload["metadata"]["generation"]
    updated = status.get("updatedReplicas", 0) == replicas == status.get("replicas", 0)
    key = "availableReplicas" if workload["kind"] == "Deployment" else "readyReplicas"
    return bool(current and updated and status.get(key, 0) == replicas)


def _unready(workload: Manifest, objects: list[Manifest]) -> Unready:
    """A container that cannot start, the Job's failure, or else what the workload waits for."""
    label = f"{workload['kind']} {workload['metadata']['name']}"
    generation = workload["metadata"].get("generation", 0)
    if workload.get("status", {}).get("observedGeneration", generation) < generation:
        # Its newest pods are still those of the revision before, which may be what is corrected.
        return Unready(label, "no controller has seen the change yet")
    newest = _newest_pods(workload, objects)
    if failed := condition(workload, "Failed"):
        return _job_failure(label, failed, newest)
    if workload["kind"] == "Job":
        newest = newest[:1]  # it replaced the others, which failed
    if stuck := [container for pod in newest for container in _stuck(label, pod)]:
        return min(stuck, key=lambda container: container.patience or 0.0)
    for pod in newest:
        reason, container = _state(pod)
        if reason != "ready":
            # A server depends on no other pod, so its probe will not succeed later.
            late = workload["kind"] == "StatefulSet" and _has_started(pod)
            patience = READINESS if late else None
            return Unready(label, reason, pod["metadata"]["name"], container, patience)
    if refused := condition(workload, "ReplicaFailure"):
        return Unready(label, refused["message"])
    return Unready(label, "running" if newest else "no pod yet")


def stuck_pods(pods: list[Manifest]) -> dict[str, str]:
    """Pods with a container that cannot start, or has crashed and is not ready again, and why.

    It may run at the moment, with the Secrets as they were. A Job's pods are not among them: it
    makes new ones itself.
    """
    return {
        pod["metadata"]["name"]: reason
        for pod in pods
        if any(ref["kind"] != "Job" for ref in pod["metadata"].get("ownerReferences", []))
        for reason in [next(filter(None, map(_obstacle, _containers(pod))), "")]
        if reason
    }


def _obstacle(container: Manifest) -> str:
    waiting: str = container.get("state", {}).get("waiting", {}).get("reason", "")
    if _crashed(container) or (container["restartCount"] > 0 and not container["ready"]):
        return "a crash"
    return waiting if waiting in PATIENCE else ""


def _crashed(container: Manifest) -> bool:
    # An init container may show how it ended until it starts again, and never the back-off.
    state = container.get("state", {})
    ended: int = state.get("terminated", {}).get("exitCode", 0)
    return ended != 0 or state.get("waiting", {}).get("reason") == "CrashLoopBackOff"


def condition(obj: Manifest, kind: str) -> Manifest | None:
    """The object's condition of this type if it is true."""
    conditions: list[Manifest] = obj.get("status", {}).get("conditions", [])
    true = (found for found in conditions if (found["type"], found["status"]) == (kind, "True"))
    return next(true, None)


def _newest_pods(owner: Manifest, objects: list[Manifest]) -> list[Manifest]:
    """The pods of the owner's newest revision, newest first; those that an update replaces do not
    count.
    """
    owners = {owner["metadata"]["uid"]}
    if owner["kind"] == "Deployment":
        key = "deployment.kubernetes.io/revision"
        revision = owner["metadata"].get("annotations", {}).get(key)
        owners = {
            obj["metadata"]["uid"]
            for obj in objects
            if obj["kind"] == "ReplicaSet"
            and _owned(obj, owners)
            and obj["metadata"].get("annotations", {}).get(key) == revision
        }
    update = owner.get("status", {}).get("updateRevision")
    pods = [
        obj
        for obj in objects
        if obj["kind"] == "Pod"
        and _owned(obj, owners)
        and update in (None, obj["metadata"].get("labels", {}).get("controller-revision-hash"))
    ]
    return sorted(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), reverse=True)


def _owned(obj: Manifest, owners: set[str]) -> bool:
    return any(ref["uid"] in owners for ref in obj["metadata"].get("ownerReferences", []))


def _containers(pod: Manifest) -> Iterator[Manifest]:
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses", [])
    yield from status.get("containerStatuses", [])


def _stuck(label: str, pod: Manifest) -> Iterator[Unready]:
    """Containers that cannot start, or crash again and again."""
    for container in _containers(pod):
        state, restarts = container.get("state", {}), container.get("restartCount", 0)
        waiting, ended = state.get("waiting", {}), state.get("terminated", {})
        reason, message = waiting.get("reason", ""), waiting.get("message", "")
        patience = PATIENCE.get(reason)
        if reason == "ImagePullBackOff":
            known = (s for words, s in PULL_PATIENCE.items() if re.search(words, message))
            patience = next(known, patience)
        if ended.get("exitCode", 0) != 0:
            reason = ended.get("reason", "Error")
            message = "crashed" if restarts == 0 else f"crashed {restarts + 1} times"
        last = ended or container.get("lastState", {}).get("terminated", {})
        if _crashed(container) and (restarts >= RESTARTS or last.get("exitCode") == MISCONFIGURED):
            patience = 0.0
        if patience is not None:
            why = f"failed: {reason}: {message}".rstrip(": ")
            yield Unready(label, why, pod["metadata"]["name"], container["name"], patience)


def _job_failure(label: str, condition: Manifest, pods: list[Manifest]) -> Unready:
    why = f"failed: {condition.get('reason', '')}: {condition.get('message', '')}"
    for pod in pods:
        for container in _containers(pod):
            if container.get("state", {}).get("terminated", {}).get("exitCode", 0) != 0:
                return Unready(label, why, pod["metadata"]["name"], container["name"], 0.0)
    return Unready(label, why, patience=0.0)


def _state(pod: Manifest) -> tuple[str, str | None]:
    """Why a pod is not ready ("ready" if it is), and the container that it waits for."""
    if refused := next(_unscheduled(pod), None):
        return f"not scheduled: {refused}", None
    for container in _containers(pod):
        state, name = container.get("state", {}), container["name"]
        ended = state.get("terminated", {})
        if container.get("ready") or ended.get("exitCode") == 0:
            continue
        if ended:
            return f"{name}: {ended.get('reason', 'ended')}", name
        reason = state.get("waiting", {}).get("reason", "starting" if state else "waiting")
        last = container.get("lastState", {}).get("terminated", {})
        if last:
            reason += f", restarted {container['restartCount']} times ({last.get('reason', '')})"
        return f"{name}: {reason}", name if "running" in state or last else None
    phase = str(pod.get("status", {}).get("phase", "Pending")).lower()
    return ("ready" if phase in ("running", "succeeded") else phase), None


def _has_started(pod: Manifest) -> bool:
    """Whether the containers run and their startup probes have succeeded."""
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return bool(statuses) and all(one.get("started") for one in statuses)


def _unscheduled(pod: Manifest) -> Iterator[str]:
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield condition.get("message", "")
