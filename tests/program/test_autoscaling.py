"""What scales what, by which query, and what the program leaves to it."""

import re

import pytest
from airflow_kubernetes.airflow.autoscaling import PAUSED
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS

from .objects import Object, Objects, objects, of_kind, pods

KEDA = "airflow.keda.enabled=true airflow.keda.cooldownPeriod=60"
WORKERS = "airflow.celery.workers.default.replicas=0 airflow.celery.workers.default.maxReplicas=5"
CELERY = f"airflow.executor=CeleryExecutor {WORKERS}"
CELERY_CLASS = "airflow.providers.celery.executors.celery_executor.CeleryExecutor"


def scaler(rendered: Objects, name: str) -> Object:
    spec: Object = rendered[f"ScaledObject/airflow-{name}"]["spec"]
    return spec


def query(overrides: str) -> str:
    text = scaler(objects(f"{KEDA} {overrides}"), "worker-default")["triggers"][0]["metadata"]
    return str(text["query"])


def conditions(overrides: str) -> set[str]:
    """Those of the query for workers, next to the state."""
    where = query(overrides).partition(" WHERE ")[2]
    return {*re.split(r" AND (?![^(]*\))", where)} - {"state IN ('queued', 'running')"}


def test_keda_scales_workers_from_none_and_nothing_else_does() -> None:
    rendered = objects(f"{KEDA} {CELERY}")
    spec = scaler(rendered, "worker-default")
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (0, 5)
    assert spec["scaleTargetRef"]["name"] == "airflow-worker-default"
    assert "replicas" not in rendered["Deployment/airflow-worker-default"]["spec"]
    assert not of_kind(rendered, "HorizontalPodAutoscaler")
    # Both of its ways down wait as long: to none, and to fewer.
    behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert spec["cooldownPeriod"] == behavior["scaleDown"]["stabilizationWindowSeconds"] == 60


def test_without_keda_there_is_nothing_of_it() -> None:
    kinds = {obj["apiVersion"] for obj in objects(CELERY.replace("s=0", "s=1")).values()}
    assert not [kind for kind in kinds if "keda" in kind]


def test_workers_are_needed_for_the_slots_of_their_tasks_and_where_a_task_runs() -> None:
    found = query(f"{CELERY} airflow.celery.workers.default.concurrency=3")
    assert "CEIL(COUNT(*) / 3)" in found
    assert "COUNT(DISTINCT IF(state = 'running', hostname, NULL))" in found


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            f"airflow.version={PREVIOUS} airflow.executor=CeleryExecutor",
            {"queue IN ('default', 'kubernetes')"},
        ),
        (
            f"airflow.version={CURRENT} airflow.executor=CeleryExecutor",
            {"queue IN ('default', 'kubernetes')"},
        ),
        # 2.11's hybrid class routes by queue.
        (
            f"airflow.version={PREVIOUS} airflow.executor=CeleryKubernetesExecutor "
            "airflow.celery.workers.default.queues=[default,kubernetes]",
            {"queue IN ('default')"},
        ),
        # 3.x routes by executor, and that of the first one is not named.
        (
            "airflow.executor=CeleryKubernetesExecutor",
            {
                "queue IN ('default', 'kubernetes')",
                f"(executor IS NULL OR executor IN ('CeleryExecutor', '{CELERY_CLASS}'))",
            },
        ),
        (
            "airflow.executor=LocalExecutor,slow:CeleryExecutor",
            {
                "queue IN ('default', 'kubernetes')",
                f"executor IN ('slow', 'CeleryExecutor', '{CELERY_CLASS}')",
            },
        ),
    ],
)
def test_only_tasks_of_workers_count(values: str, expected: set[str]) -> None:
    assert conditions(f"{WORKERS} {values}") == expected


def test_keda_logs_in_by_the_name_of_a_secret() -> None:
    rendered = objects(f"{KEDA} {CELERY}")
    parameters = rendered["TriggerAuthentication/airflow-keda"]["spec"]["secretTargetRef"]
    assert {one["parameter"]: (one["name"], one["key"]) for one in parameters} == {
        "username": ("airflow-mysql", "username"),
        "password": ("airflow-mysql", "password"),
    }
    trigger = scaler(rendered, "worker-default")["triggers"][0]
    assert trigger["authenticationRef"] == {"name": "airflow-keda"}
    # By a name that another namespace knows.
    assert trigger["metadata"]["host"] == "airflow-mysql.airflow.svc"


def test_a_user_of_kedas_own_has_the_address_too() -> None:
    rendered = objects(
        f"{KEDA} {CELERY} airflow.keda.secret=mine database.mode=external "
        "database.external.host=db database.external.secret=s"
    )
    (parameter,) = rendered["TriggerAuthentication/airflow-keda"]["spec"]["secretTargetRef"]
    assert parameter == {"parameter": "connectionString", "name": "mine", "key": "kedaConnection"}
    metadata = scaler(rendered, "worker-default")["triggers"][0]["metadata"]
    assert set(metadata) == {"query", "queryValue"}


def test_a_stopped_airflow_starts_no_worker_for_a_queued_task() -> None:
    rendered = objects(f"{KEDA} {CELERY} airflow.stopped=true")
    annotations = rendered["ScaledObject/airflow-worker-default"]["metadata"]["annotations"]
    assert annotations == {PAUSED: "0"}
    running = objects(f"{KEDA} {CELERY}")["ScaledObject/airflow-worker-default"]
    assert "annotations" not in running["metadata"]


@pytest.mark.parametrize(
    ("values", "capacity"),
    [
        ("", 1000),
        ('airflow.configuration={"triggerer":{"capacity":50}}', 50),
        (
            f'airflow.version={PREVIOUS} airflow.configuration={{"triggerer":'
            '{"default_capacity":"60"}}',
            60,
        ),
    ],
)
def test_a_triggerer_more_for_as_many_triggers_as_it_takes(values: str, capacity: int) -> None:
    rendered = objects(f"{KEDA} airflow.triggerer.maxReplicas=3 {values}")
    spec = scaler(rendered, "triggerer")
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (1, 3)
    text = spec["triggers"][0]["metadata"]["query"]
    assert f"COUNT(*) / {capacity})" in text
    assert "replicas" not in rendered["Deployment/airflow-triggerer"]["spec"]


@pytest.mark.parametrize("version", [CURRENT, PREVIOUS])
def test_the_web_component_is_scaled_by_cpu(version: str) -> None:
    rendered = objects(f"airflow.version={version} airflow.apiServer.maxReplicas=3")
    (found,) = of_kind(rendered, "HorizontalPodAutoscaler")
    name = found["metadata"]["name"]
    assert "replicas" not in rendered[f"Deployment/{name}"]["spec"]
    assert found["spec"]["scaleTargetRef"]["name"] == name
    assert (
        rendered["Service/airflow-web"]["spec"]["selector"]
        == (rendered[f"Deployment/{name}"]["spec"]["selector"]["matchLabels"])
    )


def test_costs_are_written_by_a_pod_of_its_own_for_autoscaled_sets_alone() -> None:
    fixed = objects("airflow.executor=CeleryExecutor")
    assert "Deployment/airflow-deletion-cost" not in fixed
    autoscaled = objects(CELERY.replace("s=0", "s=1"))
    (container,) = pods(autoscaled)["deletion-cost"]["containers"]
    assert container["args"][1:] == ["/opt/checks/deletion_cost.py", "worker-default"]
    assert pods(autoscaled)["worker-default"]["serviceAccountName"] == "airflow-worker"
