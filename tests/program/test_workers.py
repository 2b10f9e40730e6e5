"""Celery: sets of workers, their autoscalers, and Flower."""

import pytest
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS

from .objects import env, init, objects, pods

CELERY = "airflow.executor=CeleryExecutor"


def test_autoscaled_workers_have_bounds_and_no_number() -> None:
    rendered = objects(
        f"{CELERY} airflow.celery.workers.default.replicas=2 "
        "airflow.celery.workers.default.maxReplicas=5"
    )
    scaler = rendered["HorizontalPodAutoscaler/airflow-worker-default"]["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 5)
    assert scaler["scaleTargetRef"]["name"] == "airflow-worker-default"
    # What the autoscaler sets, the program must not.
    assert "replicas" not in rendered["Deployment/airflow-worker-default"]["spec"]


def test_without_more_replicas_there_is_no_autoscaler() -> None:
    rendered = objects(
        f"{CELERY} airflow.celery.workers.default.replicas=2 "
        "airflow.celery.workers.default.maxReplicas=2"
    )
    assert rendered["Deployment/airflow-worker-default"]["spec"]["replicas"] == 2
    assert "HorizontalPodAutoscaler/airflow-worker-default" not in rendered


def test_a_set_of_workers_has_its_own_nodes_and_what_every_task_has() -> None:
    pod = pods(
        objects(
            f"{CELERY} airflow.celery.workers.default.nodeSelector.disk=ssd "
            'airflow.celery.workers.default.tolerations=[{"key":"a","operator":"Exists"}] '
            "airflow.tasks.env.GREETING=hello airflow.tasks.gracePeriod=60"
        )
    )["worker-default"]
    assert pod["serviceAccountName"] == "airflow-worker"
    assert pod["nodeSelector"] == {"disk": "ssd"}
    assert pod["tolerations"] == [{"key": "a", "operator": "Exists"}]
    assert env(pod["containers"][0])["GREETING"] == "hello"
    assert pod["terminationGracePeriodSeconds"] == 90


@pytest.mark.parametrize(("version", "waits"), [(CURRENT, []), (PREVIOUS, ["wait-for-migrations"])])
def test_only_workers_of_2_11_know_the_database(version: str, waits: list[str]) -> None:
    pod = pods(objects(f"{CELERY} airflow.version={version}"))["worker-default"]
    assert init(pod) == waits
    known = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" in env(pod["containers"][0])
    assert known == bool(waits)


def test_flower_asks_for_the_generated_password() -> None:
    rendered = objects(f"{CELERY} airflow.admin.username=anna")
    (container,) = pods(rendered)["flower"]["containers"]
    variables = env(container)
    assert variables["AIRFLOW__CELERY__FLOWER_BASIC_AUTH"] == "anna:$(FLOWER_PASSWORD)"
    source = {"name": "airflow-celery", "key": "flower-password"}
    assert variables["FLOWER_PASSWORD"] == {"secretKeyRef": source}
    service = rendered["Service/airflow-flower"]["spec"]["ports"][0]
    assert service["targetPort"] == container["ports"][0]["containerPort"]


def test_without_celery_nothing_of_it_is_deployed() -> None:
    names = " ".join(objects("airflow.executor=KubernetesExecutor"))
    assert not any(word in names for word in ("worker", "flower", "redis"))
