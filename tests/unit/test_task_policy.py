"""The policies by which a task's queue decides on its pod."""

import importlib
import json
import runpy
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
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


class Generator:
    """Stands in for the provider's, with plain mappings for pods."""

    @staticmethod
    def deserialize_model_dict(pod: dict[str, Any]) -> dict[str, Any]:
        return dict(pod)

    @staticmethod
    def reconcile_pods(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
        return base | own


PROFILES = {"large": {"spec": "of the profile"}}


@pytest.fixture
def profiles(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    name = "airflow.providers.cncf.kubernetes.pod_generator"
    module = ModuleType(name)
    module.PodGenerator = Generator  # type: ignore[attr-defined]
    parts = name.split(".")
    for end in range(1, len(parts)):
        monkeypatch.setitem(sys.modules, ".".join(parts[:end]), ModuleType(parts[end - 1]))
    monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.syspath_prepend(str(POLICY.parent))
    monkeypatch.setenv("TASK_PROFILES", json.dumps(PROFILES))
    monkeypatch.setenv("TASK_QUEUES", "default,kubernetes")
    sys.modules.pop("task_profiles", None)
    yield
    sys.modules.pop("task_profiles", None)


def mutated(queue: str, override: dict[str, Any] | None = None) -> SimpleNamespace:
    """A task instance after the policy; it has no executor of its own."""
    config = {"pod_override": override} if override else None
    instance = SimpleNamespace(queue=queue, executor=None, executor_config=config)
    runpy.run_path(str(POLICY))["task_instance_mutation_hook"](instance)
    return instance


@pytest.mark.usefixtures("profiles")
def test_a_queue_is_a_profile_and_the_tasks_own_override_goes_over_it() -> None:
    assert mutated("default").executor_config is None
    assert mutated("large").executor_config == {"pod_override": PROFILES["large"]}
    own = {"metadata": "mine"}
    assert mutated("large", own).executor_config == {"pod_override": PROFILES["large"] | own}
    assert mutated("large").queue == "large"


@pytest.mark.usefixtures("profiles")
def test_a_profile_is_a_pod_with_hybrid_executors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASK_PROFILES_QUEUE", "kubernetes")
    assert mutated("large").queue == "kubernetes"
    monkeypatch.delenv("TASK_PROFILES_QUEUE")
    monkeypatch.setenv("KUBERNETES_QUEUE_EXECUTOR", "k8s")
    assert mutated("large").executor == "k8s"
    assert mutated("default").executor is None
    assert apply(task("large")).executor == "k8s"


@pytest.mark.usefixtures("profiles")
def test_a_queue_that_is_neither_is_told_with_those_that_are() -> None:
    problem = importlib.import_module("task_profiles").problem
    assert problem("large") is problem("default") is None
    assert "queue 'lage': neither a profile (large) nor a queue (default, kubernetes)" in problem(
        "lage"
    )
