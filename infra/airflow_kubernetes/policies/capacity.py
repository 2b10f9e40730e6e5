"""What an environment needs of its cluster, summed over its objects; the rule of its budget."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..airflow.configuration import plain
from ..kubernetes.manifest import Manifest
from ..kubernetes.reserved import reserved
from ..settings.quantities import amount
from ..settings.schema import Settings
from .rule import Finding, Subject, rule
from .workloads import Workload, workloads

Pod = dict[str, Any]

BOUNDS = {
    "HorizontalPodAutoscaler": ("minReplicas", "maxReplicas"),
    "ScaledObject": ("minReplicaCount", "maxReplicaCount"),
}
"""The fields of an autoscaler's spec with the least and the greatest number, by kind."""


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


@rule(
    fix="lower replicas, maxReplicas, parallelism, requests or sizes; or agree on a higher budget "
    "with its owner and set it in values/<environment>.yaml",
    whole_stack=True,
)
def within_budget(subject: Subject) -> Iterator[Finding]:
    """Nodes and volumes must be paid for all that is reserved at full parallelism."""
    total, budget = capacity(subject.objects, subject.settings), subject.settings.budget
    for key, requested, limit, show in (
        ("cpu", total.worst.requests.cpu, budget.cpu, cores),
        ("memory", total.worst.requests.memory, budget.memory, gibibytes),
        ("storage", total.storage, budget.storage, gibibytes),
    ):
        if requested > amount(limit):
            message = f"up to {show(requested)} is requested, and budget.{key} is {limit}"
            yield subject.finding(message)


def capacity(objects: Sequence[Manifest], settings: Settings) -> Capacity:
    """The sums over one environment's objects."""
    counted = [*numbers(objects, settings)]
    least = [(workload.pod, low) for workload, low, _ in counted]
    worst = [(workload.pod, high) for workload, _, high in counted]
    storage = sum(
        amount(str(obj["spec"]["resources"]["requests"]["storage"]))
        for obj in objects
        if obj["kind"] == "PersistentVolumeClaim"
    )
    return Capacity(load(least), load(worst), round(storage))


def numbers(objects: Sequence[Manifest], settings: Settings) -> Iterator[tuple[Workload, int, int]]:
    """Each workload with the least and the greatest number of its pods."""
    schedulers = 0 if settings.airflow.stopped else settings.airflow.scheduler.replicas
    tasks = schedulers * int(plain(settings)["AIRFLOW__CORE__PARALLELISM"])
    for workload in workloads(objects):
        low, high = 0, tasks if workload.template else 1
        if workload.long_running:
            low, high = _replicas(workload.obj, objects)
        yield workload, low, high


def load(pods: Iterable[tuple[Pod, int]]) -> Load:
    """What Kubernetes reserves for so many pods of each spec."""
    counted = list(pods)

    def total(kind: str, resource: str) -> float:
        return sum(reserved(pod, kind, resource) * number for pod, number in counted)

    requests, limits = (
        Amounts(round(total(kind, "cpu"), 3), round(total(kind, "memory")))
        for kind in ("requests", "limits")
    )
    return Load(sum(number for _, number in counted), requests, limits)


def cores(number: float) -> str:
    """CPU as text: `12.25 cores`."""
    return f"{number:g} cores"


def gibibytes(number: float) -> str:
    """Bytes as text: `31.5 GiB`."""
    return f"{round(number / 2**30, 1):g} GiB"


def _replicas(workload: Manifest, objects: Sequence[Manifest]) -> tuple[int, int]:
    """The least and the greatest number of a long-running workload's pods."""
    for obj in objects:
        if (bounds := BOUNDS.get(obj["kind"])) is not None:
            spec, least, most = obj["spec"], *bounds
            target = spec["scaleTargetRef"]
            if (target["kind"], target["name"]) == (workload["kind"], workload["metadata"]["name"]):
                # A stopped workload has the number 0, and perhaps a paused autoscaler.
                stopped = workload["spec"].get("replicas") == 0
                return (0, 0) if stopped else (int(spec.get(least, 1)), int(spec[most]))
    replicas = int(workload["spec"].get("replicas", 1))
    return replicas, replicas
