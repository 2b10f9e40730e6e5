"""The pods of KubernetesPodOperator: their template, and the side-car that holds their result."""

import runpy
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from airflow_kubernetes.kubernetes.pod import EVICTION
from airflow_kubernetes.paths import ROOT

CONFIG = ROOT / "images" / "airflow" / "config"
PROVIDER = "airflow.providers.cncf.kubernetes.utils.xcom_sidecar"


def container(name: str, image: str, **more: Any) -> SimpleNamespace:
    fields = {"image_pull_policy": None, "security_context": None, "resources": None}
    return SimpleNamespace(**fields | {"name": name, "image": image} | more)


def sidecar(image: str = "alpine", **more: Any) -> SimpleNamespace:
    resources = SimpleNamespace(requests={"cpu": "1m"}, limits=None)
    return container("airflow-xcom-sidecar", image, **{"resources": resources} | more)


@pytest.fixture(autouse=True)
def provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in for the provider's module, which is in the image."""
    module = ModuleType(PROVIDER)
    module.PodDefaults = SimpleNamespace(SIDECAR_CONTAINER=sidecar())  # type: ignore[attr-defined]
    parts = PROVIDER.split(".")
    for end in range(1, len(parts)):
        monkeypatch.setitem(sys.modules, ".".join(parts[:end]), ModuleType(parts[end - 1]))
    monkeypatch.setitem(sys.modules, PROVIDER, module)


def mutated(*containers: SimpleNamespace) -> list[SimpleNamespace]:
    """The containers after Airflow's hook."""
    return list(hooked(containers=list(containers)).spec.containers)


def hooked(annotations: dict[str, str] | None = None, **spec: Any) -> SimpleNamespace:
    """A pod after Airflow's hook."""
    metadata = SimpleNamespace(annotations=annotations)
    pod = SimpleNamespace(metadata=metadata, spec=SimpleNamespace(**spec))
    sys.path.insert(0, str(CONFIG))
    try:
        runpy.run_path(str(CONFIG / "airflow_local_settings.py"))["pod_mutation_hook"](pod)
    finally:
        sys.path.remove(str(CONFIG))
    return pod


def test_the_sidecar_gets_what_the_task_has() -> None:
    task, beside = mutated(container("base", "r/task@sha256:1", security_context="s"), sidecar())
    assert (beside.image, beside.security_context) == ("r/task@sha256:1", "s")
    assert set(beside.resources.limits) == {"cpu", "memory"}
    assert task.resources is None


def test_what_is_set_otherwise_stays() -> None:
    own = sidecar("mine", security_context="own", resources="own")
    _, beside = mutated(container("base", "r/task@sha256:1", security_context="s"), own)
    assert (beside.image, beside.security_context, beside.resources) == ("mine", "own", "own")


def test_other_pods_and_containers_stay() -> None:
    alone, with_proxy = container("base", "a"), container("proxy", "alpine")
    assert mutated(alone)[0].image == "a"
    assert mutated(alone, with_proxy)[1].image == "alpine"


def test_autoscalers_leave_launched_pods_alone_unless_the_dag_says_other() -> None:
    evict, disrupt = EVICTION[False]
    found = hooked(containers=[container("base", "a")]).metadata.annotations
    assert found == EVICTION[False], "as for all other pods that run tasks"
    found = hooked({disrupt: "30m", "a": "b"}, containers=[container("base", "a")])
    assert found.metadata.annotations == {evict: "false", disrupt: "30m", "a": "b"}


def test_launched_pods_have_the_priority_of_tasks_unless_the_dag_says_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TASK_PRIORITY_CLASS", "airflow-tasks")
    for given, expected in ((None, "airflow-tasks"), ("mine", "mine")):
        pod = hooked(containers=[container("base", "a")], priority_class_name=given)
        assert pod.spec.priority_class_name == expected


def test_the_template_satisfies_restricted() -> None:
    """Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""
    defaults = runpy.run_path(str(CONFIG / "pod_defaults.py"))["pod_defaults"]
    spec = defaults()["pod_template_dict"]["spec"]
    (base,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert base["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert not base["securityContext"]["allowPrivilegeEscalation"]
    spec["containers"].clear()
    assert defaults()["pod_template_dict"]["spec"]["containers"], "each DAG has its own"


def test_the_home_of_launched_pods_is_writable_and_bounded() -> None:
    defaults = runpy.run_path(str(CONFIG / "pod_defaults.py"))["pod_defaults"]
    spec = defaults()["pod_template_dict"]["spec"]
    (base,) = spec["containers"]
    (home,) = [item["value"] for item in base["env"] if item["name"] == "HOME"]
    (volume,) = [mount["name"] for mount in base["volumeMounts"] if mount["mountPath"] == home]
    assert {"name": volume, "emptyDir": {"sizeLimit": "1Gi"}} in spec["volumes"]


def test_pods_pull_with_the_login_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = runpy.run_path(str(CONFIG / "pod_defaults.py"))["pod_defaults"]
    assert "imagePullSecrets" not in defaults()["pod_template_dict"]["spec"]
    monkeypatch.setenv("TASK_PULL_SECRETS", "airflow-registry")
    spec = defaults()["pod_template_dict"]["spec"]
    assert spec["imagePullSecrets"] == [{"name": "airflow-registry"}]
