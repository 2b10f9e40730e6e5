"""What an environment needs of its cluster, summed from its objects alone.

A pod needs what Kubernetes reserves for it:
https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from ..database.mysql import NAME as MYSQL
from ..kubernetes.manifest import Manifest
from ..settings.quantities import amount
from . import connections
from .workloads import Workload, workloads


@dataclass(frozen=True)
class Amounts:
    """CPU in cores, memory in bytes."""

    cpu: float = 0.0
    memory: int = 0

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(round(self.cpu + other.cpu, 3), self.memory + other.memory)

    def __mul__(self, times: int) -> "Amounts":
        return Amounts(round(self.cpu * times, 3), self.memory * times)

    def __or__(self, other: "Amounts") -> "Amounts":
        """The greater of each."""
        return Amounts(max(self.cpu, other.cpu), max(self.memory, other.memory))


@dataclass(frozen=True)
class Load:
    """A number of pods, what they request and what they may take at most."""

    pods: int = 0
    requests: Amounts = Amounts()
    limits: Amounts = Amounts()

    def __add__(self, other: "Load") -> "Load":
        return Load(
            self.pods + other.pods, self.requests + other.requests, self.limits + other.limits
        )

    def __mul__(self, times: int) -> "Load":
        return Load(self.pods * times, self.requests * times, self.limits * times)


@dataclass(frozen=True)
class Capacity:
    """What an environment needs.

    `least` always runs: every replica, autoscaled workers at their minimum. `most` is the same with
    those at their maximum. `worst` adds a pod for each task that may run in one at a time, and all
    Jobs at once; a rolling update's extra pods are not in it. Tasks of LocalExecutor are in the
    scheduler's own resources. `storage` is the sum of the claims, in bytes. `connections` are those
    to the database at `worst`, `max_connections` what it allows; None for one outside the cluster.
    """

    least: Load
    most: Load
    worst: Load
    task_pods: int
    storage: int
    connections: int
    max_connections: int | None


def capacity(objects: Sequence[Manifest]) -> Capacity:
    """The sums of one environment's objects."""
    autoscaled = {
        (obj["spec"]["scaleTargetRef"]["kind"], obj["spec"]["scaleTargetRef"]["name"]): obj["spec"]
        for obj in objects
        if obj["kind"] == "HorizontalPodAutoscaler"
    }
    configuration = connections.Configuration(objects)
    task_pods = configuration.parallelism * sum(
        replicas(workload, autoscaled)[1]
        for workload in workloads(objects)
        if connections.is_scheduler(workload)
    )
    least, most, jobs, tasks = Load(), Load(), Load(), Load()
    running = []
    for workload in workloads(objects):
        one, pods = load(workload.pod), 1
        if workload.template:
            pods = task_pods
            tasks = one * pods
        elif workload.long_running:
            low, pods = replicas(workload, autoscaled)
            least, most = least + one * low, most + one * pods
        else:
            jobs += one
        running.append((workload, pods))
    return Capacity(
        least,
        most,
        most + tasks + jobs,
        tasks.pods,
        storage=sum(map(_storage, objects)),
        connections=connections.at_worst(configuration, running),
        max_connections=max_connections(objects),
    )


def load(pod: dict[str, Any]) -> Load:
    """What Kubernetes reserves for one pod of a spec."""
    return Load(1, _effective(pod, "requests"), _effective(pod, "limits"))


def replicas(
    workload: Workload, autoscaled: dict[tuple[str, str], dict[str, Any]]
) -> tuple[int, int]:
    """The least and the greatest number of a long-running workload's pods."""
    obj = workload.obj
    scaler = autoscaled.get((obj["kind"], obj["metadata"]["name"]))
    if scaler is not None:
        return int(scaler.get("minReplicas", 1)), int(scaler["maxReplicas"])
    number = int(obj["spec"].get("replicas", 1))
    return number, number


def max_connections(objects: Iterable[Manifest]) -> int | None:
    """What MySQL in the cluster is started with; None without one."""
    option = "--max-connections="
    for obj in objects:
        if obj["kind"] == "StatefulSet" and obj["metadata"]["name"] == MYSQL:
            for argument in obj["spec"]["template"]["spec"]["containers"][0].get("args", []):
                if argument.startswith(option):
                    return int(argument.removeprefix(option))
    return None


def _effective(pod: dict[str, Any], kind: str) -> Amounts:
    """The sum of what runs at a time: side-cars with one init container, or with the others."""
    sidecars, start = Amounts(), Amounts()
    for spec in pod.get("initContainers") or []:
        own = _amounts(spec, kind)
        start |= sidecars + own
        if spec.get("restartPolicy") == "Always":
            sidecars += own
    others = (_amounts(spec, kind) for spec in pod.get("containers") or [])
    return start | reduce(Amounts.__add__, others, sidecars)


def _amounts(container: dict[str, Any], kind: str) -> Amounts:
    wanted = (container.get("resources") or {}).get(kind) or {}
    cpu, memory = amount(str(wanted.get("cpu", 0))), amount(str(wanted.get("memory", 0)))
    return Amounts(round(cpu, 3), round(memory))


def _storage(obj: Manifest) -> int:
    if obj["kind"] != "PersistentVolumeClaim":
        return 0
    return round(amount(str(obj["spec"]["resources"]["requests"]["storage"])))
