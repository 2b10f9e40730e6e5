"""The policy that sends queue="kubernetes" to KubernetesExecutor."""

import runpy
from types import SimpleNamespace
from typing import Any

import pytest
from airflow_kubernetes.paths import ROOT

POLICY = ROOT / "images" / "airflow" / "config" / "airflow_local_settings.py"


def apply(task: Any) -> Any:
    runpy.run_path(str(POLICY))["task_policy"](task)
    return task


def task(queue: str, executor: str | None = None) -> SimpleNamespace:
    return SimpleNamespace(queue=queue, executor=executor)


class Mapped:
    """As Airflow's mapped operators: the executor is read from what the task was declared with."""

    queue = "kubernetes"

    def __init__(self) -> None:
        self.partial_kwargs: dict[str, str] = {}

    @property
    def executor(self) -> str | None:
        return self.partial_kwargs.get("executor")


@pytest.mark.parametrize(
    ("queue", "executor", "expected"),
    [
        ("kubernetes", None, "k8s"),
        ("kubernetes", "LocalExecutor", "LocalExecutor"),
        ("default", None, None),
    ],
)
def test_routing(
    queue: str, executor: str | None, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBERNETES_QUEUE_EXECUTOR", "k8s")
    assert apply(task(queue, executor)).executor == expected


def test_mapped_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_QUEUE_EXECUTOR", "k8s")
    assert apply(Mapped()).executor == "k8s"


def test_one_executor_routes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_QUEUE_EXECUTOR", raising=False)
    assert apply(task("kubernetes")).executor is None
