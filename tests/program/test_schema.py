"""Every object is valid in the strict schema of each supported Kubernetes minor."""

import json
from collections.abc import Iterator
from functools import cache

import kubernetes_validate
import pytest
import yaml
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS
from airflow_kubernetes.kubernetes.order import OF_KEDA
from airflow_kubernetes.settings.load import environments

from .objects import Objects, objects
from .pod_values import every_key

MINORS = ("1.33", "1.34", "1.35", "1.36")
CELERY = (
    "airflow.executor=CeleryKubernetesExecutor airflow.celery.workers.default.maxReplicas=5 "
    'airflow.tasks.tolerations=[{"key":"a","operator":"Exists"}] '
    'airflow.tasks.volumes=[{"name":"more","mountPath":"/more","secret":"mine"}]'
)
GIT = (
    "airflow.executor=CeleryKubernetesExecutor airflow.dags.source=git "
    "airflow.dags.git.repository=git@git.example.com:team/dags.git airflow.dags.git.secret=login"
)
RENDERED = [
    *(("", environment) for environment in environments()),
    *(
        (f"airflow.version={version} {values}", "dev")
        for version in (CURRENT, PREVIOUS)
        for values in (CELERY, GIT, f"airflow.executor=CeleryKubernetesExecutor {every_key()}")
    ),
]


@pytest.fixture(scope="module", autouse=True)
def schemas_read_once() -> Iterator[None]:
    """The library reads the same files for every object, which is most of its time."""
    with pytest.MonkeyPatch.context() as patch:
        utils = kubernetes_validate.utils
        patch.setattr(utils, "schema_contents", cache(utils.schema_contents))
        yield


def validate(rendered: Objects, minor: str) -> None:
    for obj in rendered.values():
        if obj["kind"] in OF_KEDA:  # its schemas are in a cluster with KEDA: tests/cluster
            continue
        kubernetes_validate.validate(obj, minor, strict=True)
        if obj["metadata"]["name"] == "airflow-pod-template":
            template = yaml.safe_load(obj["data"]["pod_template.yaml"])
            kubernetes_validate.validate(template, minor, strict=True)


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize(("overrides", "environment"), RENDERED)
def test_every_object_fits_the_strict_schema(overrides: str, environment: str, minor: str) -> None:
    validate(objects(overrides, environment), minor)


def test_the_schema_check_can_fail() -> None:
    broken = json.loads(json.dumps(objects()["Deployment/airflow-scheduler"]))
    broken["spec"]["template"]["spec"]["containers"][0]["imagePulPolicy"] = "Always"
    with pytest.raises(kubernetes_validate.ValidationError):
        validate({"broken": broken}, MINORS[-1])
