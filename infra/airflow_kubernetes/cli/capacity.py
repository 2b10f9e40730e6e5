"""`make capacity`: what fits the present nodes, what waits, and what the peak costs in nodes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..errors import CommandError
from ..kubectl.client import Kubectl, KubectlError
from ..kubernetes.manifest import PART_OF, Manifest
from ..kubernetes.nodes import UNTYPED, Node, Pods, Room, more_nodes, nodes_of, place
from ..policies.capacity import cores, gibibytes, numbers
from ..render import objects
from ..settings import document
from ..settings.problems import Problem, SettingsError
from .installed_release import COMPONENT
from .target import Target

Prices = Mapping[str, float]
"""The price of an hour by kind of node (`Node.kind`)."""


def capacity(target: Target, prices: str = "") -> None:
    """Print whether the pods of the values fit the cluster's nodes next to other pods.

    `prices` is a file with the price of an hour by kind of node. Raises SettingsError for a wrong
    file, CommandError for a login that may not look at the nodes and at all pods.
    """
    known = read_prices(Path(prices)) if prices else {}
    always, more = [], []
    for workload, low, high in numbers(
        objects(target.environment, target.overrides), target.settings
    ):
        name = workload.metadata["labels"][COMPONENT]
        always.append(Pods(name, workload.pod, low))
        more.append(Pods(name, workload.pod, high - low))
    nodes = nodes_of(*_of_cluster(target.kubectl))
    print("\n".join(report(target.environment, nodes, always, more, known)))


def read_prices(file: Path) -> dict[str, float]:
    """The prices of a file of lines `kind: price`. Raises SettingsError."""
    found = document.read(file, str(file))
    prices, problems = {}, []
    for kind, price in found.data.items():
        if isinstance(price, int | float) and not isinstance(price, bool) and price > 0:
            prices[str(kind)] = float(price)
        else:
            message = "should be the price of an hour, a number greater than 0, such as 0.192"
            problems.append(Problem(found.file, found.lines[(kind,)], str(kind), message))
    if problems:
        raise SettingsError(problems)
    return prices


def report(
    environment: str,
    nodes: Sequence[Node],
    always: Sequence[Pods],
    more: Sequence[Pods],
    prices: Prices,
) -> Iterator[str]:
    """The lines of the report: `always` are the pods that always run, `more` those of the peak."""
    kinds = Counter(node.kind for node in nodes)
    free = [node.free for node in nodes]
    yield f"{environment} on {_counted(kinds)}{_cost(kinds, prices)}"
    yield f"{'free next to other pods':28}{_amount(_sum(free))}"
    left, waiting_always = place(always, nodes)
    yield _line("always", always, waiting_always)
    _, waiting_more = place(more, left)
    waiting = [*waiting_always, *waiting_more]
    yield _line("at the peak", [*always, *more], waiting)
    wanted = Counter[str]()
    for group in [*always, *more]:
        wanted[group.name] += group.number
    for group in waiting:
        yield f"  {group.number} of {wanted[group.name]} {group.name}: {_reason(group, nodes)}"
    yield from _more(waiting, nodes, prices)


def _of_cluster(kubectl: Kubectl) -> tuple[list[Manifest], list[Manifest]]:
    """The nodes, and the pods of others that have not ended."""
    try:
        nodes = kubectl.get("nodes")
        pods = kubectl.get(
            "pods", "--all-namespaces",
            "--field-selector=status.phase!=Succeeded,status.phase!=Failed",
        )  # fmt: skip
    except KubectlError as error:
        if "Forbidden" in str(error):
            raise CommandError(
                "this login may not list nodes and the pods of all namespaces, next to which those "
                f"of Airflow have to fit; use one that may: {error}"
            ) from None
        raise
    return nodes, [pod for pod in pods if not _own(kubectl, pod)]


def _own(kubectl: Kubectl, pod: Manifest) -> bool:
    """Whether it is one of the environment's pods, which are placed again."""
    labels = pod["metadata"].get("labels", {})
    place, part_of = pod["metadata"]["namespace"], labels.get("app.kubernetes.io/part-of")
    return (place, part_of) == (kubectl.namespace, PART_OF)


def _more(waiting: Sequence[Pods], nodes: Sequence[Node], prices: Prices) -> Iterator[str]:
    """A line for each kind of node that would hold waiting pods."""
    for kind in sorted({node.kind for node in nodes}) if waiting else ():
        like = max(
            (node for node in nodes if node.kind == kind),
            key=lambda node: sum(node.allows(group.spec) for group in waiting),
        )
        number, without = more_nodes(waiting, like)
        if number:
            but = f", and not for {', '.join(group.name for group in without)}" if without else ""
            more = _nodes(number, kind).replace(" ", " more ", 1)
            yield f"  {more} would do{_cost({kind: number}, prices)}{but}"


def _line(when: str, groups: Sequence[Pods], waiting: Sequence[Pods]) -> str:
    total = _sum([Room(*(group.number * need for need in group.size)) for group in groups])
    wait = sum(group.number for group in waiting)
    fits = f"{wait} wait{'s' if wait == 1 else ''}" if wait else "fits"
    return f"{when:13}{total.pods:>5} pods     {_amount(total):30}{fits}"


def _reason(group: Pods, nodes: Sequence[Node]) -> str:
    """Why a pod of the group waits."""
    if not any(node.labelled(group.spec) for node in nodes):
        selector = group.spec.get("nodeSelector") or {}
        labels = ", ".join(f"{key}={value}" for key, value in selector.items())
        return f"no node has the label {labels} of their nodeSelector" if labels else "no node"
    allowed = [node for node in nodes if node.allows(group.spec)]
    if not allowed:
        return "every such node has a taint that they do not tolerate"
    if not any(node.empty.holds(group.size) for node in allowed):
        return f"one needs {_amount(group.size)}, more than an empty node has"
    return "no room"


def _sum(rooms: Sequence[Room]) -> Room:
    return Room(*map(sum, zip(*rooms, strict=True))) if rooms else Room(0, 0, 0)


def _amount(room: Room) -> str:
    return f"{cores(room.cpu / 1000)}, {gibibytes(room.memory)}"


def _counted(kinds: Mapping[str, int]) -> str:
    return ", ".join(_nodes(number, kind) for kind, number in sorted(kinds.items())) or "no node"


def _nodes(number: int, kind: str) -> str:
    return f"{number} {kind}{'s' if kind == UNTYPED and number > 1 else ''}"


def _cost(kinds: Mapping[str, int], prices: Prices) -> str:
    """What the nodes cost, as far as there are prices; empty without any."""
    if not prices:
        return ""
    if unknown := sorted(kinds.keys() - prices.keys()):
        return f" (no price of {', '.join(unknown)})"
    return f" ({sum(number * prices[kind] for kind, number in kinds.items()):.2f} an hour)"
