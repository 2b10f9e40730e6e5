"""`make adopt`: an environment of the kubectl engine goes on under Pulumi."""

import json
from collections.abc import Iterator

import pytest
from airflow_kubernetes.cli.status import password

from .conftest import Deployment, in_namespace
from .test_pulumi import PulumiDeployment, summary

pytestmark = [pytest.mark.cluster, pytest.mark.pulumi]

KINDS = (
    "namespaces,secrets,configmaps,persistentvolumeclaims,serviceaccounts,roles,rolebindings,"
    "services,deployments,statefulsets,jobs,cronjobs,pods"
)
TIMEOUT = 'airflow.configuration={"core":{"dagbag_import_timeout":"77"}}'


@pytest.fixture(scope="module")
def airflow(sandbox: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PulumiDeployment]:
    """An Airflow that the kubectl engine deployed; the Pulumi backend is empty."""
    variables = {
        "PULUMI_BACKEND_URL": f"file://{tmp_path_factory.mktemp('state')}",
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        by_kubectl = in_namespace("airflow-adopt", 30085)
        by_kubectl.remove(wait=True)
        by_kubectl.up(more=TIMEOUT)
        overrides = by_kubectl.overrides.replace("engine=kubectl", "engine=auto")
        yield PulumiDeployment(by_kubectl.namespace, overrides)
        by_kubectl.remove()


def objects(airflow: Deployment) -> dict[str, tuple[str, int]]:
    """Uid and generation by kind and name: what a change of an object's fields would change."""
    items = json.loads(airflow.kubectl("get", KINDS, "-o", "json"))["items"]
    return {
        f"{item['kind']} {item['metadata']['name']}": (
            item["metadata"]["uid"],
            item["metadata"].get("generation", 0),
        )
        for item in items
        if item["metadata"].get("namespace", item["metadata"]["name"]) == airflow.namespace
    }


def test_objects_that_differ_are_refused(airflow: PulumiDeployment) -> None:
    output = airflow.make("adopt", ok=False)
    assert "ConfigMap airflow-config" in output
    assert "differ from the program" in output
    assert "make up ENV=sandbox" in output


def test_no_object_changes(airflow: PulumiDeployment) -> None:
    before = objects(airflow)
    counts = summary(airflow.make("adopt", more=TIMEOUT))
    assert set(counts) == {"unchanged"}
    assert objects(airflow) == before
    namespace = json.loads(airflow.kubectl("get", "namespace", airflow.namespace, "-o", "json"))
    assert namespace["metadata"]["annotations"]["airflow-kubernetes/engine"] == "pulumi"


def test_the_stack_has_the_passwords_of_the_cluster(airflow: PulumiDeployment) -> None:
    outputs = ("pulumi", "stack", "output", "--stack", "sandbox", "--json", "--show-secrets")
    assert json.loads(airflow.call(*outputs))["password"] == password(airflow.target())


def test_a_setting_that_is_taken_back_leaves_its_object(airflow: PulumiDeployment) -> None:
    assert "updated" in summary(airflow.make("up"))
    assert "DAGBAG_IMPORT_TIMEOUT" not in airflow.kubectl("get", "configmaps", "-o", "yaml")


def test_an_adopted_environment_is_not_adopted_again(airflow: PulumiDeployment) -> None:
    assert "was not deployed by the kubectl engine" in airflow.make("adopt", ok=False)
