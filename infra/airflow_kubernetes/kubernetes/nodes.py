"""Which pods fit which nodes, by requests, nodeSelector and taints; pure functions over plain data.

Not looked at, though Kubernetes does: affinity, topology spread, the zones of volumes, ephemeral
storage and extended resources such as GPUs.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ..settings.quantities import amount
from .manifest import Manifest
from .reserved import reserved

TYPE = "node.kubernetes.io/instance-type"
UNTYPED = "node"
"""The kind of a node without that label."""

SPOT = (
    ("cloud.google.com/gke-spot", "true"),
    ("eks.amazonaws.com/capacityType", "SPOT"),
    ("karpenter.sh/capacity-type", "spot"),
    ("kubernetes.azure.com/scalesetpriority", "spot"),
)
"""Labels of nodes that their cloud may take back."""


class Room(NamedTuple):
    """CPU in thousandths of a core, memory in bytes, a number of pods."""

    cpu: int
    memory: int
    pods: int

    def less(self, size: "Room", times: int = 1) -> "Room":
        """What so many pods of a size leave of it."""
        return Room(*(have - times * need for have, need in zip(self, size, strict=True)))

    def holds(self, size: "Room") -> int:
        """How many pods of a size fit."""
        return max(0, min(have // need for have, need in zip(self, size, strict=True) if need))


@dataclass(frozen=True)
class Pods:
    """`number` pods of one spec; `name` says of what."""

    name: str
    spec: Mapping[str, Any]
    number: int

    @property
    def size(self) -> Room:
        """What one of them needs."""
        return size_of(self.spec)


@dataclass(frozen=True)
class Node:
    """A node. `kind` is its instance type, with "spot" if its cloud may take it back.

    `free` is what the pods on it leave, `empty` what those of DaemonSets leave, which a new node
    has too.
    """

    kind: str
    labels: Mapping[str, str]
    taints: Sequence[Mapping[str, str]]
    free: Room
    empty: Room

    def allows(self, spec: Mapping[str, Any]) -> bool:
        """Whether pods of the spec may run on it, by its labels and taints."""
        return self.labelled(spec) and all(
            any(_tolerates(toleration, taint) for toleration in spec.get("tolerations") or ())
            for taint in self.taints
            if taint["effect"] != "PreferNoSchedule"
        )

    def labelled(self, spec: Mapping[str, Any]) -> bool:
        """Whether it has the labels of the spec's nodeSelector."""
        return (spec.get("nodeSelector") or {}).items() <= self.labels.items()


def size_of(spec: Mapping[str, Any]) -> Room:
    """What a pod of the spec needs."""
    cpu, memory = (reserved(dict(spec), "requests", name) for name in ("cpu", "memory"))
    return Room(math.ceil(round(1000 * cpu, 6)), math.ceil(memory), 1)


def nodes_of(nodes: Iterable[Manifest], pods: Iterable[Manifest]) -> list[Node]:
    """Nodes as the API server describes them, with the pods that run on them."""
    on: dict[str, list[Manifest]] = defaultdict(list)
    for pod in pods:
        on[pod["spec"].get("nodeName", "")].append(pod)
    return [_node(node, on[node["metadata"]["name"]]) for node in nodes]


def place(groups: Iterable[Pods], nodes: Sequence[Node]) -> tuple[list[Node], list[Pods]]:
    """The nodes with less free room, and the pods for which there is none.

    The largest pods first, each on the first node that has room: what fits like this also fits by
    Kubernetes' own choice, as far as it packs so tightly.
    """
    cpu = max((node.free.cpu for node in nodes), default=0)
    memory = max((node.free.memory for node in nodes), default=0)

    def share(group: Pods) -> float:
        """Of the largest free room."""
        return max(group.size.cpu / max(cpu, 1), group.size.memory / max(memory, 1))

    left, waiting = [*nodes], []
    for group in sorted(groups, key=share, reverse=True):
        number, size = group.number, group.size
        for index, node in enumerate(left):
            if number and node.allows(group.spec):
                here = min(number, node.free.holds(size))
                left[index] = replace(node, free=node.free.less(size, here))
                number -= here
        if number:
            waiting.append(replace(group, number=number))
    return left, waiting


def more_nodes(waiting: Iterable[Pods], like: Node) -> tuple[int, list[Pods]]:
    """How many new nodes like this one hold the pods, and the pods that none of them holds."""
    groups = [*waiting]
    fitting = [
        group for group in groups if like.allows(group.spec) and like.empty.holds(group.size)
    ]
    new: list[Node] = []
    rest = fitting
    while rest:
        # One that holds at least one pod, so this ends.
        new.append(replace(like, free=like.empty))
        (filled,), rest = place(rest, new[-1:])
        new[-1] = filled
    return len(new), [group for group in groups if group not in fitting]


def _node(node: Manifest, pods: Sequence[Manifest]) -> Node:
    labels = node["metadata"].get("labels", {})
    found = node["status"]["allocatable"]
    room = Room(
        math.floor(1000 * amount(found["cpu"])), math.floor(amount(found["memory"])),
        int(found["pods"]),
    )  # fmt: skip
    spot = " spot" if any(labels.get(key) == value for key, value in SPOT) else ""
    return Node(
        kind=f"{labels.get(TYPE, UNTYPED)}{spot}",
        labels=labels,
        taints=node["spec"].get("taints") or (),
        free=_without(room, pods),
        empty=_without(room, (pod for pod in pods if _of_daemon_set(pod))),
    )


def _without(room: Room, pods: Iterable[Manifest]) -> Room:
    for pod in pods:
        room = room.less(size_of(pod["spec"]))
    return room


def _of_daemon_set(pod: Manifest) -> bool:
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(owner["kind"] == "DaemonSet" for owner in owners)


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, str]) -> bool:
    """https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"""
    exists = toleration.get("operator") == "Exists"
    return (
        toleration.get("effect") in (None, "", taint["effect"])
        and (toleration.get("key") == taint["key"] or (exists and not toleration.get("key")))
        and (exists or (toleration.get("value") or "") == taint.get("value", ""))
    )
