"""Pods that `up` starts again: what they wait for may be right by now, or their Secrets are new.

Kubernetes starts no pod again because of a Secret, and a container that failed only after minutes.
"""

from ..console import say
from ..kubernetes.manifest import PART_OF, Manifest
from ..kubernetes.references import references
from .client import Kubectl
from .rollout import condition, stuck_pods

OURS = f"--selector=app.kubernetes.io/part-of={PART_OF}"


def restart_stuck(kubectl: Kubectl) -> None:
    """Delete pods in a crash loop, or whose image could not be pulled: each is made again at once.

    The kubelet would wait up to five minutes, and until then the old failure counts.
    """
    if found := stuck_pods(kubectl.get("pods", OURS)):
        for name, reason in found.items():
            say(f"  Pod {name}: started again, after {reason}")
        kubectl.run("delete", "pods", "--ignore-not-found", "--wait=false", *found)


def restart_outdated(kubectl: Kubectl) -> list[Manifest]:
    """Restart the workloads whose pods run with Secrets as they were; returns those workloads.

    As `kubectl rollout restart`: a Deployment's pods are replaced one after the other.
    """
    listed = kubectl.get("deployments,statefulsets,pods", OURS)
    secrets = kubectl.get("secrets", "--show-managed-fields")
    found = outdated(listed, secrets)
    for workload, reason in found:
        say(f"  {workload['kind']} {workload['metadata']['name']}: restarted, as {reason}")
    if found:
        names = (f"{one['kind']}/{one['metadata']['name']}".lower() for one, _ in found)
        kubectl.run("rollout", "restart", *names)
    return [workload for workload, _ in found]


def outdated(listed: list[Manifest], secrets: list[Manifest]) -> list[tuple[Manifest, str]]:
    """The workloads with a pod that started before one of its Secrets was made, and that Secret.

    Before it was changed, too, if the pod is not ready. Otherwise a change takes effect when the
    user raises `secrets.revision`.
    """
    made = {one["metadata"]["name"]: one["metadata"]["creationTimestamp"] for one in secrets}
    changed = {one["metadata"]["name"]: _changed(one) for one in secrets}
    result = []
    for workload in listed:
        selector = workload.get("spec", {}).get("selector", {}).get("matchLabels")
        for pod in listed if selector else ():
            if pod["kind"] != "Pod" or not selector.items() <= pod["metadata"]["labels"].items():
                continue
            started, names = _started(pod), sorted(_secrets(pod) & made.keys())
            since = made if condition(pod, "Ready") else changed
            if newer := [name for name in names if started and since[name] > started]:
                result.append((workload, f"the Secret {newer[0]} is newer than {_name(pod)}"))
                break
    return result


def _name(pod: Manifest) -> str:
    return f"Pod {pod['metadata']['name']}"


def _secrets(pod: Manifest) -> set[str]:
    """The Secrets in the pod's variables and volumes; a login to pull with matters before."""
    spec = {key: value for key, value in pod["spec"].items() if key != "imagePullSecrets"}
    return {name for kind, name in references(spec) if kind == "Secret"}


def _started(pod: Manifest) -> str:
    """When the first of the pod's running containers started; empty if none runs."""
    states = (one.get("state", {}) for one in pod.get("status", {}).get("containerStatuses", []))
    return min(
        (state["running"]["startedAt"] for state in states if "running" in state), default=""
    )


def _changed(secret: Manifest) -> str:
    """When it was written last. Timestamps of Kubernetes compare as text."""
    metadata = secret["metadata"]
    times = [field["time"] for field in metadata.get("managedFields", []) if "time" in field]
    return str(max([metadata["creationTimestamp"], *times]))
