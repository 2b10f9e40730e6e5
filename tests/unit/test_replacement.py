"""Which changes replace an object, and which are refused."""

from typing import Any

import pytest
from airflow_kubernetes.comparison.changes import Change, Operation, compare

LABELS = {"app": "x"}
SPECS: dict[str, dict[str, Any]] = {
    "PersistentVolumeClaim": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "5Gi"}},
    },
    "StatefulSet": {
        "serviceName": "x",
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": {}},
    },
    "Job": {"template": {"spec": {"containers": [{"name": "main", "image": "a"}]}}},
    "Service": {"ports": [{"port": 80}]},
}
SPECS["Deployment"] = SPECS["StatefulSet"]


def obj(kind: str, name: str = "x-1", **content: Any) -> dict[str, Any]:
    """An object of the kind with another spec, or other fields next to it."""
    more = {"spec": {**SPECS[kind], **content.pop("spec", {})}} if kind in SPECS else {}
    metadata = {"name": name, "namespace": "ns", **content.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more, **content}


def change(before: dict[str, Any], after: dict[str, Any]) -> Change:
    """The one change between two objects."""
    (one,) = compare([before], [after])
    return one


def verdict(before: dict[str, Any], after: dict[str, Any]) -> tuple[str, bool]:
    """Its operation, and whether the server refuses it."""
    one = change(before, after)
    return one.operation.value, bool(one.refused)


def storage(size: str) -> dict[str, Any]:
    """A claim's spec of a size."""
    return {"resources": {"requests": {"storage": size}}}


@pytest.mark.parametrize(
    ("kind", "spec", "operation", "refused"),
    [
        ("PersistentVolumeClaim", storage("6Gi"), "update", False),
        ("PersistentVolumeClaim", storage("4Gi"), "update", True),
        ("PersistentVolumeClaim", {"resources": {}}, "update", True),
        ("PersistentVolumeClaim", {"storageClassName": "fast"}, "replace", True),
        ("PersistentVolumeClaim", {"volumeAttributesClassName": "fast"}, "update", False),
        ("PersistentVolumeClaim", {"volumeMode": "Filesystem"}, "update", False),
        ("PersistentVolumeClaim", {"volumeMode": "Block"}, "update", True),
        ("StatefulSet", {"serviceName": "y"}, "replace", True),
        ("StatefulSet", {"replicas": 2}, "update", False),
        ("StatefulSet", {"revisionHistoryLimit": 3}, "replace", False),
        ("StatefulSet", {"podManagementPolicy": "OrderedReady"}, "replace", False),
        ("StatefulSet", {"podManagementPolicy": "Parallel"}, "replace", True),
        ("Deployment", {"selector": {"matchLabels": {}}}, "replace", True),
        ("Deployment", {"serviceName": "y"}, "update", False),
        ("Job", {"parallelism": 2}, "replace", False),
        ("Job", {"completions": 1}, "replace", False),
        ("Job", {"backoffLimit": 2}, "update", False),
        ("Job", {"completionMode": "Indexed"}, "update", True),
        ("Service", {"clusterIP": "None"}, "replace", True),
        ("Service", {"type": "NodePort"}, "update", False),
    ],
)
def test_a_field(kind: str, spec: dict[str, Any], operation: str, refused: bool) -> None:
    assert verdict(obj(kind), obj(kind, spec=spec)) == (operation, refused)


def test_a_quantity_in_another_unit_is_no_change() -> None:
    claim = obj("PersistentVolumeClaim")
    assert not compare([claim], [obj("PersistentVolumeClaim", spec=storage("5120Mi"))])


def test_what_the_server_chose_stays_when_it_is_no_longer_given() -> None:
    before = obj("Service", spec={"clusterIP": "10.0.0.1"})
    assert verdict(before, obj("Service")) == ("replace", False)


def test_another_namespace_is_another_object_and_refuses_nothing() -> None:
    before = obj("StatefulSet")
    after = obj("StatefulSet", metadata={"namespace": "other"}, spec={"serviceName": "y"})
    assert verdict(before, after) == ("replace", False)


def test_a_new_hash_replaces_a_job() -> None:
    after = obj("Job", name="x-2", spec={"template": {}})
    one = change(obj("Job"), after)
    assert one.operation is Operation.REPLACE
    assert ("metadata", "name") in one.replacing
    assert not one.refused


def test_an_image_built_again_replaces_a_job_and_is_not_refused() -> None:
    template = {"spec": {"containers": [{"name": "main", "image": "b"}]}}
    assert verdict(obj("Job"), obj("Job", spec={"template": template})) == ("replace", False)


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_immutable_data(kind: str) -> None:
    frozen = obj(kind, data={"a": "1"}, immutable=True)
    thawed = obj(kind, data={"a": "1"})
    assert verdict(frozen, {**frozen, "data": {"a": "2"}}) == ("replace", True)
    assert verdict(thawed, {**frozen, "data": {"a": "2"}}) == ("replace", False)
    assert verdict(frozen, thawed) == ("update", True)
    assert verdict(thawed, frozen) == ("update", False)


def test_a_selector_that_does_not_find_its_own_pods() -> None:
    wrong = obj("Deployment", spec={"selector": {"matchLabels": {"app": "y"}}})
    path = ("spec", "template", "metadata", "labels", "app")
    assert path in change(obj("Deployment"), wrong).refused
    assert compare([], [wrong])[0].refused == (path,)
    assert change(obj("Deployment"), wrong).fails


def test_what_fails_under_pulumi_too() -> None:
    claim, server = obj("PersistentVolumeClaim"), obj("StatefulSet")
    assert change(claim, obj("PersistentVolumeClaim", spec=storage("1Gi"))).fails
    assert not change(server, obj("StatefulSet", spec={"serviceName": "y"})).fails
    assert not change(server, obj("StatefulSet", spec={"replicas": 2})).fails


def test_values_that_are_written_once_are_kept() -> None:
    before, after = (
        obj("Secret", name="airflow-admin", stringData={"username": name}) for name in "ab"
    )
    one = change(before, after)
    assert one.operation is Operation.UPDATE
    assert one.kept == one.refused == (("stringData", "username"),)
    assert not one.fails


@pytest.mark.parametrize(
    ("name", "labels", "blocked"),
    [
        ("airflow-mysql", {"airflow-kubernetes/protected": "true"}, True),
        ("airflow-registry", {"airflow-kubernetes/protected": "true"}, False),
        ("airflow-redis", {}, False),
    ],
)
def test_data_is_not_lost_by_an_update(name: str, labels: dict[str, str], blocked: bool) -> None:
    before = obj("Secret", name=name, metadata={"labels": labels})
    assert compare([before], [])[0].blocked == blocked
    assert change(before, {**before, "type": "other"}).blocked == blocked
    assert not change(before, {**before, "data": {}}).blocked


def test_the_namespace_is_known_without_its_name() -> None:
    one = change(obj("Namespace", name="a"), obj("Namespace", name="b"))
    assert one.operation is Operation.REPLACE
