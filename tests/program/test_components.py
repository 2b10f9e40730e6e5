"""The tree that `pulumi up` prints: five component resources and their children."""

from typing import Any

import pytest
from airflow_kubernetes.environment import for_rendering, load
from airflow_kubernetes.render import order, record

PACKAGE = "airflow-kubernetes:index"
COMPONENTS = ("foundation", "images", "database", "airflow", "celery")


def tree(overrides: str) -> dict[str, set[str]]:
    """The types of the children by the name of their parent, a component or the stack."""
    requests = record(for_rendering("prod", load("prod", overrides))).requests
    found: dict[str, set[str]] = {}
    for (kind, _), request in requests.items():
        if kind != "pulumi:pulumi:Stack":
            found.setdefault(request.parent.rpartition("::")[2], set()).add(kind)
    return found


def test_every_resource_is_the_child_of_a_component() -> None:
    children = tree("airflow.executor=CeleryExecutor images.build=true")
    stack = next(name for name in children if name not in COMPONENTS)
    assert children[stack] == {
        "pulumi:providers:kubernetes",
        *(f"{PACKAGE}:{name.capitalize()}" for name in COMPONENTS),
    }
    assert set(children) == {stack, *COMPONENTS}


def test_each_component_has_what_its_name_says() -> None:
    children = tree("airflow.executor=CeleryExecutor images.build=true")
    assert "kubernetes:core/v1:Namespace" in children["foundation"]
    assert "kubernetes:core/v1:Secret" in children["foundation"]
    assert children["images"] == {"docker-build:index:Image", "docker-build:index:Index"}
    assert "kubernetes:apps/v1:StatefulSet" in children["database"]
    assert "kubernetes:apps/v1:Deployment" in children["airflow"]
    assert "kubernetes:apps/v1:StatefulSet" in children["celery"]


@pytest.mark.parametrize("executor", ["KubernetesExecutor", "LocalExecutor"])
def test_without_celery_there_is_no_such_component(executor: str) -> None:
    assert "celery" not in tree(f"airflow.executor={executor}")


def test_a_kind_without_a_place_in_the_order_is_named() -> None:
    obj: dict[str, Any] = {"kind": "Lease", "metadata": {"name": "leader"}}
    with pytest.raises(ValueError, match="Lease leader: add the kind Lease to ORDER"):
        order(obj)
