"""The tree that `pulumi up` prints: five component resources and their children."""

from typing import Any

import pytest
from airflow_kubernetes.environment import for_rendering, load
from airflow_kubernetes.kubernetes.order import order
from airflow_kubernetes.render import record

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


def requests(overrides: str = "") -> dict[str, Any]:
    """What the engine gets of each resource, by its name."""
    recorded = record(for_rendering("prod", load("prod", overrides))).requests
    return {name: request for (_, name), request in recorded.items()}


def place(request: Any) -> str:
    """The namespace of an object; empty for a Namespace."""
    metadata = request.object["metadata"]
    return str(metadata["namespace"]) if "namespace" in metadata else ""


def names(urns: Any) -> set[str]:
    return {urn.rpartition("::")[2] for urn in urns}


def test_an_object_is_created_after_what_it_names_or_waits_for_and_nothing_else() -> None:
    found = requests("airflow.executor=CeleryExecutor")
    assert names(found["airflow-api-server-deployment"].dependencies) == {
        "namespace",
        "airflow-config-configmap",
        "airflow-task-images-configmap",
        "airflow-api-server-serviceaccount",
        "airflow-logs-persistentvolumeclaim",
        "airflow-keys-secret",
        "airflow-mysql-secret",
        "airflow-mysql-statefulset",
        "airflow-migrations-job",
    }
    assert names(found["airflow-redis-service"].dependencies) == {"namespace"}


def test_a_claim_is_created_after_the_passwords_of_its_data() -> None:
    found = requests()
    secrets = {name for name, request in found.items() if request.type.endswith(":Secret")}
    assert len(secrets) > 3
    for name, request in found.items():
        if request.type.endswith(":PersistentVolumeClaim"):
            assert secrets < names(request.dependencies), name


def test_what_waits_comes_after_what_it_waits_for() -> None:
    """Pulumi's default with two CPUs are eight at a time, and Celery has nine that wait."""
    found = requests("airflow.executor=CeleryKubernetesExecutor")
    waiting = {name for name in found if name.endswith(("-deployment", "-job"))}
    assert len(waiting) > 7
    for name in waiting:
        dependencies = names(found[name].dependencies)
        assert "airflow-mysql-statefulset" in dependencies, name
        if name.endswith("-deployment"):
            assert "airflow-migrations-job" in dependencies, name
    assert "airflow-redis-statefulset" in names(
        found["airflow-worker-default-deployment"].dependencies
    )


def test_with_the_namespace_all_that_is_in_it_is_gone() -> None:
    found = requests()
    for request in found.values():
        if not request.type.startswith("kubernetes:"):
            continue
        with_it = names([request.deletedWith])
        if place(request) == "airflow":
            assert with_it == {"namespace"}, request.name
        else:  # the other namespace stays, and its objects are deleted one by one
            assert with_it == {""}, request.name


def test_the_namespace_of_launched_pods_stays_with_what_users_made_in_it() -> None:
    """Pulumi neither deletes it nor stops at it, and takes it over again where it exists."""
    namespace = requests()["launched-pods-namespace"]
    assert namespace.retainOnDelete
    assert not namespace.protect
    assert "::workloads::" in namespace.provider
    assert "launched-pods-namespace" not in requests("airflow.tasks.launchPods=false")
    found = requests()
    inside = {
        name
        for name, request in found.items()
        if request.type.startswith("kubernetes:") and place(request) == "airflow-tasks"
    }
    assert len(inside) == 7
    for name in inside:
        assert "launched-pods-namespace" in names(found[name].dependencies), name


def test_only_what_can_be_made_again_may_replace_what_exists() -> None:
    found = requests()
    for name, request in found.items():
        if name == "namespace" or request.type == "kubernetes:core/v1:Secret":
            assert "::cluster::" in request.provider, name
        elif request.type.startswith("kubernetes:"):
            assert "::workloads::" in request.provider, name
    assert found["cluster"].object["upsertExistingObjects"] == "false"
    assert found["workloads"].object["upsertExistingObjects"] == "true"


def test_no_id_of_a_resource_is_a_secret() -> None:
    """The id of a RandomBytes is its value, and Pulumi's state does not encrypt ids."""
    kinds = {request.type for request in requests().values() if request.type.startswith("random:")}
    assert kinds == {"random:index/randomPassword:RandomPassword"}
