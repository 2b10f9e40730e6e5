"""What an environment needs of its cluster, summed over its objects."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..airflow.configuration import CONFIG_MAP
from ..airflow.releases import RELEASES
from ..kubernetes.manifest import Manifest
from ..settings.quantities import amount
from .workloads import workloads

SCHEDULERS = {release.scheduler.name for release in RELEASES.values()}
Pod = dict[str, Any]


class Amounts(NamedTuple):
    """CPU in cores, memory in bytes."""

    cpu: float
    memory: int


class Load(NamedTuple):
    """A number of pods, with the sums of their requests and limits."""

    pods: int
    requests: Amounts
    limits: Amounts


@dataclass(frozen=True)
class Capacity:
    """What an environment needs.

    `least` always runs: every replica, autoscaled workers at their minimum. `worst` has those at
    their maximum, a pod for each task that may run in its own at the same time, and all Jobs at
    once, but not a rolling update's extra pods. Tasks of LocalExecutor are in the scheduler's
    resources. `storage` is the sum of the claims, in bytes.
    """

    least: Load
    worst: Load
    storage: int


def capacity(objects: Sequence[Manifest]) -> Capacity:
    """The sums over one environment's objects."""
    least: list[tuple[Pod, int]] = []
    worst: list[tuple[Pod, int]] = []
    task_pods, parallelism = 0, _parallelism(objects)
    for workload in workloads(objects):
        if workload.long_running:
            low, high = _replicas(workload.obj, objects)
            least.append((workload.pod, low))
            worst.append((workload.pod, high))
            if SCHEDULERS & {container["name"] for container in workload.pod["containers"]}:
                task_pods += high * parallelism
    for workload in workloads(objects):
        if not workload.long_running:
            worst.append((workload.pod, task_pods if workload.template else 1))
    return Capacity(load(least), load(worst), sum(map(_storage, objects)))


def load(pods: Iterable[tuple[Pod, int]]) -> Load:
    """What Kubernetes reserves for so many pods of each spec."""
    counted = list(pods)
    requests, limits = (
        Amounts(
            round(sum(_reserved(pod, kind, "cpu") * number for pod, number in counted), 3),
            round(sum(_reserved(pod, kind, "memory") * number for pod, number in counted)),
        )
        for kind in ("requests", "limits")
    )
    return Load(sum(number for _, number in counted), requests, limits)


def _reserved(pod: Pod, kind: str, resource: str) -> float:
    """The greater of two sums: side-cars and one init container, side-cars and all containers.

    https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
    """
    sidecars = start = 0.0
    for container in pod.get("initContainers") or []:
        own = _declared(container, kind, resource)
        start = max(start, sidecars + own)
        if container.get("restartPolicy") == "Always":
            sidecars += own
    containers = sum(_declared(each, kind, resource) for each in pod.get("containers") or [])
    return max(start, sidecars + containers)


def _declared(container: dict[str, Any], kind: str, resource: str) -> float:
    resources = (container.get("resources") or {}).get(kind) or {}
    return amount(str(resources.get(resource, 0)))


def _parallelism(objects: Sequence[Manifest]) -> int:
    """Tasks at a time for each scheduler; Airflow's default is 32."""
    for obj in objects:
        if obj["kind"] == "ConfigMap" and obj["metadata"]["name"] == CONFIG_MAP:
            return int((obj.get("data") or {}).get("AIRFLOW__CORE__PARALLELISM", 32))
    return 32


def _replicas(workload: Manifest, objects: Sequence[Manifest]) -> tuple[int, int]:
    """The least and the greatest number of a long-running workload's pods."""
    target = workload["kind"], workload["metadata"]["name"]
    for obj in objects:
        if obj["kind"] == "HorizontalPodAutoscaler":
            reference = obj["spec"]["scaleTargetRef"]
            if (reference["kind"], reference["name"]) == target:
                return int(obj["spec"].get("minReplicas", 1)), int(obj["spec"]["maxReplicas"])
    replicas = int(workload["spec"].get("replicas", 1))
    return replicas, replicas


def _storage(obj: Manifest) -> int:
    if obj["kind"] != "PersistentVolumeClaim":
        return 0
    return round(amount(str(obj["spec"]["resources"]["requests"]["storage"])))
