"""Task pods: the template of KubernetesExecutor, and the images that DAGs name."""

import json

import pytest
from airflow_kubernetes.airflow.executors import EXECUTORS
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS
from airflow_kubernetes.settings.load import environments

from .objects import env, objects, pods


@pytest.mark.parametrize("environment", environments())
def test_task_pods_get_no_database_and_no_key(environment: str) -> None:
    template = pods(objects("", environment))["pod-template"]
    assert template["containers"][0]["name"] == "base"
    assert [item["name"] for item in template["containers"][0]["env"]] == ["HOME"]
    assert "secretKeyRef" not in json.dumps(template)


def test_tasks_of_2_11_talk_to_the_database_themselves() -> None:
    (base,) = pods(objects(f"airflow.version={PREVIOUS}"))["pod-template"]["containers"]
    assert "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" in env(base)


@pytest.mark.parametrize("environment", environments())
def test_a_task_image_is_named_in_one_place_which_rolls_no_pod(environment: str) -> None:
    rendered = objects("", environment)
    named = [name for name, obj in rendered.items() if "/task-pandas-1:" in json.dumps(obj)]
    assert named == ["ConfigMap/airflow-task-images"]


def test_the_settings_of_tasks_are_in_their_pods() -> None:
    overrides = (
        "airflow.tasks.env.GREETING=hello airflow.tasks.nodeSelector.disk=ssd "
        'airflow.tasks.tolerations=[{"key":"gpu","operator":"Exists"}] '
        'airflow.tasks.volumes=[{"name":"more","mountPath":"/more","claim":"mine"}]'
    )
    pod = pods(objects(overrides))["pod-template"]
    (base,) = pod["containers"]
    assert env(base) == {"HOME": "/tmp", "GREETING": "hello"}
    assert base["volumeMounts"][-1] == {"name": "more", "mountPath": "/more", "readOnly": True}
    assert pod["volumes"][-1] == {"name": "more", "persistentVolumeClaim": {"claimName": "mine"}}
    assert pod["nodeSelector"] == {"disk": "ssd"}
    assert pod["tolerations"] == [{"key": "gpu", "operator": "Exists"}]


RUN_TASKS = {
    "KubernetesExecutor": "pod-template",
    "CeleryExecutor": "worker-default",
    "LocalExecutor": "scheduler",
}
"""Executors, and the pod in which each runs tasks."""


@pytest.mark.parametrize("version", [CURRENT, PREVIOUS])
@pytest.mark.parametrize("executor", RUN_TASKS)
def test_the_home_of_tasks_is_writable_and_bounded(executor: str, version: str) -> None:
    given = f"airflow.executor={executor} airflow.version={version} airflow.tasks.tmpSizeLimit=3Gi"
    pod = pods(objects(given))[RUN_TASKS[executor]]
    container = pod["containers"][0]
    (volume,) = [
        mount["name"]
        for mount in container["volumeMounts"]
        if mount["mountPath"] == env(container)["HOME"] and not mount.get("readOnly")
    ]
    assert {"name": volume, "emptyDir": {"sizeLimit": "3Gi"}} in pod["volumes"]


def test_the_values_may_name_another_home() -> None:
    (base,) = pods(objects("airflow.tasks.env.HOME=/data"))["pod-template"]["containers"]
    assert [item for item in base["env"] if item["name"] == "HOME"] == [
        {"name": "HOME", "value": "/data"}
    ]


def test_components_that_run_no_task_keep_their_tmp() -> None:
    rendered = pods(objects("airflow.tasks.tmpSizeLimit=3Gi"))
    for name in ("scheduler", "triggerer", "dag-processor"):
        assert {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}} in rendered[name]["volumes"]


@pytest.mark.parametrize("version", [CURRENT, PREVIOUS])
def test_a_drained_node_waits_for_a_task(version: str) -> None:
    given = f"airflow.version={version} airflow.tasks.gracePeriod=3600"
    pod = pods(objects(given))["pod-template"]
    assert pod["terminationGracePeriodSeconds"] >= 3600


def test_an_image_that_cannot_be_pulled_yet_is_no_failure() -> None:
    fatal = objects()["ConfigMap/airflow-config"]["data"][
        "AIRFLOW__KUBERNETES_EXECUTOR__WORKER_POD_PENDING_FATAL_CONTAINER_STATE_REASONS"
    ]
    assert {"InvalidImageName"} <= {*fatal.split(",")}
    assert not {"ErrImagePull", "ImagePullBackOff", "CreateContainerConfigError"} & {
        *fatal.split(",")
    }


@pytest.mark.parametrize("executor", EXECUTORS)
def test_what_tasks_leave_is_swept_where_there_are_task_pods(executor: str) -> None:
    rendered = objects(f"airflow.executor={executor} airflow.tasks.failedPodRetention=77")
    assert ("CronJob/airflow-sweep-pods" in rendered) == ("Kubernetes" in executor)
    if "Kubernetes" in executor:
        args = pods(rendered)["sweep-pods"]["containers"][0]["args"]
        assert args[args.index("--keep-failed") + 1] == "77"
