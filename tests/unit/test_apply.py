"""The kubectl engine: what it applies, and that it prunes only after the wait."""

from typing import Any

import pytest
from airflow_kubernetes.kubectl import apply
from airflow_kubernetes.kubectl.client import Kubectl
from airflow_kubernetes.kubernetes.manifest import PROTECTED, Manifest
from airflow_kubernetes.kubernetes.order import OF_KEDA

KUBECTL = Kubectl("context", "namespace")


def obj(kind: str, name: str, spec: Manifest | None = None, **metadata: Any) -> Manifest:
    return {"kind": kind, "metadata": {"name": name, **metadata}, "spec": spec or {}}


WEB, MYSQL, OLD = obj("Deployment", "web"), obj("StatefulSet", "mysql"), obj("ConfigMap", "old")
SCALER = obj("ScaledObject", "scaler")
NOT_RENDERED = [
    obj("Job", "backup-1", ownerReferences=[{"kind": "CronJob"}]),
    obj("Job", "backup-manual", {"ttlSecondsAfterFinished": 86400}),
]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """kubectl's calls that change something, and the wait, in their order."""
    found: list[str] = []
    monkeypatch.setattr(Kubectl, "run", lambda _, *args, **__: found.append(" ".join(args)))
    monkeypatch.setattr(apply, "wait", lambda *_: found.append("wait"))
    return found


def cluster(monkeypatch: pytest.MonkeyPatch, present: list[Manifest], different: list[str]) -> None:
    """A cluster with these objects, of which kubectl diff names some."""
    jobs = [one for one in present if one["kind"] == "Job"]
    of_keda = [one for one in present if one["kind"] in OF_KEDA]
    others = [one for one in present if one not in of_keda]
    listed = {"jobs": jobs, apply.ALL[0]: others, apply.ALL_OF_KEDA[0]: of_keda}
    monkeypatch.setattr(Kubectl, "get", lambda _, kinds, *__: listed[kinds])
    monkeypatch.setattr(apply, "differences", lambda *_: different)


def test_the_first_up_applies_everything_without_a_comparison(
    monkeypatch: pytest.MonkeyPatch, calls: list[str]
) -> None:
    cluster(monkeypatch, NOT_RENDERED, ["unused"])
    claim = obj("PersistentVolumeClaim", "data", labels={PROTECTED: "true"})
    assert apply.apply(KUBECTL, [claim, MYSQL, WEB], 1) == ["StatefulSet mysql", "Deployment web"]
    assert [call.partition(" ")[0] for call in calls] == ["apply", "wait"]


def test_what_is_no_longer_rendered_goes_after_the_wait(
    monkeypatch: pytest.MonkeyPatch, calls: list[str]
) -> None:
    cluster(monkeypatch, [WEB, MYSQL, OLD, SCALER, *NOT_RENDERED], ["Deployment web"])
    expected = [
        "Deployment web",
        "ConfigMap old (no longer wanted)",
        "ScaledObject scaler (no longer wanted)",
        "StatefulSet mysql (no longer wanted)",
    ]
    assert apply.changes(KUBECTL, [WEB]) == expected
    assert calls == []
    assert apply.apply(KUBECTL, [WEB], 1) == expected
    assert calls[0].startswith("apply --server-side")
    deleted = "delete --ignore-not-found ConfigMap/old ScaledObject/scaler StatefulSet/mysql"
    assert calls[1:] == ["wait", deleted]


def test_without_a_change_it_only_waits(monkeypatch: pytest.MonkeyPatch, calls: list[str]) -> None:
    cluster(monkeypatch, [WEB, *NOT_RENDERED], [])
    assert apply.apply(KUBECTL, [WEB], 1) == []
    assert calls == ["wait"]


@pytest.mark.parametrize(
    ("image", "status", "deleted"),
    [
        ("a:1", {}, False),
        ("a:1", {"conditions": [{"type": "Complete", "status": "True"}]}, False),
        ("a:1", {"conditions": [{"type": "Failed", "status": "True"}]}, True),
        ("a:2", {}, True),
    ],
)
def test_a_job_that_failed_or_has_another_image_runs_again(
    monkeypatch: pytest.MonkeyPatch, calls: list[str], image: str, status: Manifest, deleted: bool
) -> None:
    def job(image: str) -> Manifest:
        return obj("Job", "m", {"template": {"spec": {"containers": [{"image": image}]}}})

    cluster(monkeypatch, [job(image) | {"status": status}], [])
    apply.apply(KUBECTL, [job("a:1")], 1)
    assert calls == (["delete job m --wait=true"] if deleted else []) + ["wait"]


def test_a_namespace_with_nothing_in_it_yet_is_not_compared(
    monkeypatch: pytest.MonkeyPatch, calls: list[str]
) -> None:
    """It may not exist, which is an error of kubectl diff."""
    web = obj("Deployment", "web", namespace="namespace")
    role = obj("Role", "launch", namespace="namespace-tasks")
    cluster(monkeypatch, [web], ["Deployment web"])
    compared: list[list[Manifest]] = []

    def differences(_: Kubectl, objects: list[Manifest]) -> list[str]:
        compared.append(objects)
        return []

    monkeypatch.setattr(apply, "differences", differences)
    assert apply.changes(KUBECTL, [web, role]) == ["Role launch"]
    assert compared == [[web]]
    assert apply.comparable(KUBECTL, [web, role]) == [web]


def test_what_is_no_longer_rendered_goes_from_both_namespaces(
    monkeypatch: pytest.MonkeyPatch, calls: list[str]
) -> None:
    gone = [
        obj("ConfigMap", "old", namespace="namespace"),
        obj("Role", "launch", namespace="namespace-tasks"),
    ]
    cluster(monkeypatch, [WEB, *gone], [])
    assert apply.apply(KUBECTL, [WEB], 1) == [
        "ConfigMap old (no longer wanted)",
        "Role launch (no longer wanted)",
    ]
    assert calls == [
        "wait",
        "delete --ignore-not-found ConfigMap/old",
        "delete --ignore-not-found Role/launch",
    ]


def test_a_secret_that_the_foundation_makes_is_neither_applied_nor_pruned(
    monkeypatch: pytest.MonkeyPatch, calls: list[str]
) -> None:
    copy = obj("Secret", "copy", namespace="namespace-tasks")
    cluster(monkeypatch, [WEB, copy], [])
    assert apply.apply(KUBECTL, [WEB, copy], 1) == []
    assert calls == ["wait"]
