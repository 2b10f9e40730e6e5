"""Task pods: the template of KubernetesExecutor, and the images that DAGs name."""

import json

import pytest
from airflow_kubernetes.airflow.executors import EXECUTORS
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS
from airflow_kubernetes.environment import load
from airflow_kubernetes.rules import warnings
from airflow_kubernetes.settings.load import environments
from airflow_kubernetes.settings.problems import SettingsError

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


PROFILE = {
    "resources": {
        "requests": {"cpu": "2", "memory": "8Gi"}, "limits": {"cpu": "4", "memory": "8Gi"},
    },
    "nodeSelector": {"disk": "ssd"},
    "podAnnotations": {"size": "large"},
    "priorityClassName": "batch",
    "image": "example.com/airflow-with-more:1",
}  # fmt: skip


@pytest.mark.parametrize("version", [CURRENT, PREVIOUS])
@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_profile_is_a_part_of_a_pod_where_tasks_have_pods(version: str, executor: str) -> None:
    profiles = json.dumps({"large": PROFILE, "empty": {}}, separators=(",", ":"))
    given = f"airflow.version={version} airflow.executor={executor} airflow.tasks.profiles="
    data = objects(given + profiles)["ConfigMap/airflow-config"]["data"]
    if not EXECUTORS[executor].kubernetes:
        assert "TASK_PROFILES" not in data
        return
    found = json.loads(data["TASK_PROFILES"])
    assert found["empty"] == {"metadata": {}, "spec": {"containers": [{"name": "base"}]}}
    assert found["large"] == {
        "metadata": {"annotations": {"size": "large"}},
        "spec": {
            "containers": [
                {
                    "name": "base",
                    "image": "example.com/airflow-with-more:1",
                    "resources": PROFILE["resources"],
                }
            ],
            "nodeSelector": {"disk": "ssd"},
            "priorityClassName": "batch",
        },
    }
    assert data["TASK_QUEUES"] == "default,kubernetes"
    hybrid_class = version == PREVIOUS and executor != "KubernetesExecutor"
    assert data.get("TASK_PROFILES_QUEUE") == ("kubernetes" if hybrid_class else None)


def test_a_profile_has_a_name_of_its_own_and_needs_task_pods() -> None:
    with pytest.raises(SettingsError, match=r"profiles\.kubernetes: is a queue, whose tasks would"):
        load("dev", 'airflow.tasks.profiles={"kubernetes":{}}')
    with pytest.raises(
        SettingsError, match=r"profiles\.a\.nodeSelectors: unknown key; did you mean"
    ):
        load("dev", 'airflow.tasks.profiles={"a":{"nodeSelectors":{}}}')
    settings = load("dev", 'airflow.executor=CeleryExecutor airflow.tasks.profiles={"a":{}}')
    assert any("profiles: no effect with CeleryExecutor" in text for text in warnings(settings))
