"""Which pods fit which nodes, and the report of `make capacity`."""

from typing import Any

import pytest
from airflow_kubernetes.cli.capacity import read_prices, report
from airflow_kubernetes.kubernetes.nodes import Node, Pods, more_nodes, nodes_of, place
from airflow_kubernetes.settings.problems import SettingsError

GI = 2**30


def spec(cpu: str, memory: str, **more: Any) -> dict[str, Any]:
    return {"containers": [{"resources": {"requests": {"cpu": cpu, "memory": memory}}}], **more}


def pod(node: str, cpu: str, owner: str = "ReplicaSet") -> dict[str, Any]:
    return {
        "metadata": {"ownerReferences": [{"kind": owner}]},
        "spec": {"nodeName": node, **spec(cpu, "1Gi")},
    }


def node(name: str = "a", cpu: str = "4", taints: Any = None, **labels: str) -> dict[str, Any]:
    """A node of 4 cores, 16 GiB, 10 pods."""
    given = {"node.kubernetes.io/instance-type": "m"} | labels
    labels = {key: value for key, value in given.items() if value is not None}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": taints} if taints else {},
        "status": {"allocatable": {"cpu": cpu, "memory": "16Gi", "pods": "10"}},
    }


def one(*pods: dict[str, Any], **fields: Any) -> Node:
    (found,) = nodes_of([node(**fields)], pods)
    return found


def test_a_node_has_what_its_pods_leave_and_a_new_one_what_daemon_sets_leave() -> None:
    found = one(pod("a", "500m"), pod("a", "100m", "DaemonSet"), pod("b", "1"), cpu="3920m")
    assert found.free == (3320, 14 * GI, 8)
    assert found.empty == (3820, 15 * GI, 9)


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        ({}, "m"),
        ({"karpenter.sh/capacity-type": "on-demand"}, "m"),
        ({"karpenter.sh/capacity-type": "spot"}, "m spot"),
        ({"cloud.google.com/gke-spot": "true"}, "m spot"),
        ({"node.kubernetes.io/instance-type": "n2-standard-4"}, "n2-standard-4"),
        ({"node.kubernetes.io/instance-type": None}, "node"),
    ],
)
def test_the_kind_of_a_node_is_its_instance_type_and_whether_it_is_spot(
    labels: dict[str, Any], kind: str
) -> None:
    assert one(**labels).kind == kind


TAINT = {"key": "spot", "value": "true", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("taint", "tolerations", "allowed"),
    [
        (TAINT, [], False),
        (TAINT, [{"key": "spot", "operator": "Exists"}], True),
        (TAINT, [{"key": "spot", "operator": "Equal", "value": "true"}], True),
        (TAINT, [{"key": "spot", "value": "false"}], False),
        (TAINT, [{"key": "spot", "operator": "Exists", "effect": "NoExecute"}], False),
        (TAINT, [{"operator": "Exists"}], True),
        (TAINT, [{"key": "other", "operator": "Exists"}], False),
        (TAINT | {"effect": "PreferNoSchedule"}, [], True),
        ({"key": "gone", "effect": "NoExecute"}, [], False),
        ({"key": "gone", "effect": "NoExecute"}, [{"key": "gone", "operator": "Equal"}], True),
    ],
)
def test_taints_are_tolerated_as_kubernetes_says(
    taint: dict[str, str], tolerations: list[dict[str, str]], allowed: bool
) -> None:
    assert one(taints=[taint]).allows(spec("1", "1Gi", tolerations=tolerations)) == allowed


def test_a_node_selector_names_labels_that_a_node_must_have() -> None:
    found = one(disk="ssd")
    assert found.allows(spec("1", "1Gi", nodeSelector={"disk": "ssd"}))
    assert not found.allows(spec("1", "1Gi", nodeSelector={"disk": "hdd"}))
    assert not found.allows(spec("1", "1Gi", nodeSelector={"gpu": "true"}))


def test_the_largest_pods_are_placed_first_and_what_has_no_room_waits() -> None:
    nodes = nodes_of([node("a"), node("b")], [])
    small, large = Pods("small", spec("1", "1Gi"), 4), Pods("large", spec("3", "1Gi"), 2)
    left, waiting = place([small, large], nodes)
    assert [one.free.cpu for one in left] == [0, 0]
    assert [(group.name, group.number) for group in waiting] == [("small", 2)]


@pytest.mark.parametrize(
    ("size", "fit"),
    [(("1", "1Gi"), 4), (("100m", "8Gi"), 2), (("1m", "1Mi"), 10), (("5", "1Gi"), 0)],
)
def test_a_node_is_full_by_cpu_by_memory_or_by_its_number_of_pods(
    size: tuple[str, str], fit: int
) -> None:
    _, waiting = place([Pods("x", spec(*size), 20)], [one()])
    assert waiting[0].number == 20 - fit


def test_without_nodes_everything_waits() -> None:
    group = Pods("x", spec("1", "0"), 1)
    assert place([group], []) == ([], [group])
    assert lines([], [group], [])[0] == "prod on no node"


def test_how_many_new_nodes_would_hold_what_waits() -> None:
    like = one(pod("a", "3"), pod("a", "1", "DaemonSet"))
    fits, too_large = Pods("x", spec("1", "1Gi"), 7), Pods("y", spec("4", "1Gi"), 1)
    # Three on each: a DaemonSet takes one of four cores of each new node too.
    assert more_nodes([fits, too_large], like) == (3, [too_large])
    assert more_nodes([], like) == (0, [])


def lines(nodes: Any, always: Any, more: Any, prices: Any = None) -> list[str]:
    return list(report("prod", nodes, always, more, prices or {}))


def test_the_report_when_all_fits() -> None:
    nodes = nodes_of([node("a"), node("b")], [pod("a", "500m")])
    found = lines(nodes, [Pods("scheduler", spec("250m", "1Gi"), 2)], [], {"m": 0.2})
    assert found == [
        "prod on 2 m (0.40 an hour)",
        "free next to other pods     7.5 cores, 31 GiB",
        "always           2 pods     0.5 cores, 2 GiB              fits",
        "at the peak      2 pods     0.5 cores, 2 GiB              fits",
    ]


def test_the_report_says_what_waits_why_and_what_nodes_it_would_take() -> None:
    nodes = nodes_of([node("a"), node("b", taints=[TAINT], gpu="true")], [])
    always = [Pods("scheduler", spec("1", "1Gi"), 1)]
    more = [
        Pods("task", spec("1", "1Gi"), 6),
        Pods("large", spec("8", "1Gi"), 1),
        Pods("gpu", spec("1", "1Gi", nodeSelector={"gpu": "true"}), 1),
        Pods("ssd", spec("1", "1Gi", nodeSelector={"disk": "ssd"}), 2),
    ]
    found = lines(nodes, always, more, {"other": 1})
    assert found[0] == "prod on 2 m (no price of m)"
    assert found[2].endswith("  fits")
    assert found[3].endswith("7 wait")
    assert sorted(found[4:8]) == [
        "  1 of 1 gpu: every such node has a taint that they do not tolerate",
        "  1 of 1 large: one needs 8 cores, 1 GiB, more than an empty node has",
        "  2 of 2 ssd: no node has the label disk=ssd of their nodeSelector",
        "  3 of 6 task: no room",
    ]
    assert found[8:] == ["  1 more m would do (no price of m), and not for large, gpu, ssd"]


def test_prices_are_read_from_a_file(tmp_path: Any) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text("m6i.xlarge: 0.192\nm6i.xlarge spot: 0.07\nStandard_D4s_v5: 1\n")
    prices = {"m6i.xlarge": 0.192, "m6i.xlarge spot": 0.07, "Standard_D4s_v5": 1}
    assert read_prices(file) == prices
    file.write_text("m6i.xlarge: 0.192\nx: free\ny: 0\nz: true\n")
    with pytest.raises(SettingsError) as error:
        read_prices(file)
    assert [problem.line for problem in error.value.problems] == [2, 3, 4]
