"""What an environment needs, summed from its objects."""

from typing import Any

import pytest
import yaml
from airflow_kubernetes.environment import load as settings_of
from airflow_kubernetes.kubernetes.manifest import Manifest
from airflow_kubernetes.policies import connections
from airflow_kubernetes.policies.capacity import Amounts, Load, capacity, load

from .policy_examples import obj

MI = 2**20


def container(name: str, cpu: str, memory: str, **more: Any) -> dict[str, Any]:
    """A container whose CPU limit is twice its request."""
    limits = {"cpu": f"{2 * int(cpu[:-1])}m", "memory": memory}
    return {
        "name": name,
        "resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": limits},
        **more,
    }


def deployment(name: str, replicas: int, *containers: dict[str, Any]) -> Manifest:
    spec = {"replicas": replicas, "template": {"spec": {"containers": list(containers)}}}
    return obj("Deployment", name, spec=spec)


def template() -> Manifest:
    pod = {"spec": {"containers": [container("base", "100m", "256Mi")]}}
    return obj("ConfigMap", "airflow-pod-template", data={"pod_template.yaml": yaml.dump(pod)})


def test_a_pod_needs_what_runs_in_it_at_a_time() -> None:
    pod = {
        "initContainers": [
            container("sync", "50m", "64Mi", restartPolicy="Always"),
            container("wait", "400m", "32Mi"),
        ],
        "containers": [container("one", "100m", "128Mi"), container("two", "200m", "64Mi")],
    }
    # CPU: the side-car with the init container; memory: the side-car with both containers.
    assert load([(pod, 1)]) == Load(1, Amounts(0.45, 256 * MI), Amounts(0.9, 256 * MI))


@pytest.mark.parametrize(
    ("kind", "bounds"),
    [
        ("HorizontalPodAutoscaler", {"minReplicas": 2, "maxReplicas": 5}),
        ("ScaledObject", {"minReplicaCount": 2, "maxReplicaCount": 5}),
    ],
)
def test_replicas_autoscaling_jobs_and_claims(kind: str, bounds: dict[str, int]) -> None:
    target = {"kind": "Deployment", "name": "airflow-worker"}
    scaler = obj(kind, "airflow-worker", spec={"scaleTargetRef": target, **bounds})
    job = obj("Job", "a-1", spec=deployment("a", 1, container("a", "10m", "1Mi"))["spec"])
    claim = obj("PersistentVolumeClaim", "a", spec={"resources": {"requests": {"storage": "1Gi"}}})
    found = capacity(
        [
            deployment("airflow-worker", 1, container("x", "100m", "64Mi")),
            deployment("airflow-x", 3, container("x", "100m", "64Mi")),
            scaler,
            job,
            claim,
            claim,
        ],
        settings_of("dev"),
    )
    assert (found.least.pods, found.worst.pods) == (5, 9)
    assert found.least.requests == Amounts(0.5, 5 * 64 * MI)
    assert found.worst.requests == Amounts(0.81, 8 * 64 * MI + MI)
    assert found.worst.limits == Amounts(1.62, 8 * 64 * MI + MI)
    assert found.storage == 2 * 2**30


def test_at_worst_each_scheduler_has_as_many_task_pods_as_it_may() -> None:
    scheduler = deployment("airflow-scheduler", 2, container("scheduler", "100m", "64Mi"))
    values = "airflow.parallelism=10 airflow.scheduler.replicas=2"
    worst = capacity([scheduler, template()], settings_of("dev", values)).worst
    assert worst.pods == 2 + 20
    assert worst.requests == Amounts(2.2, 2 * 64 * MI + 20 * 256 * MI)
    stopped = deployment("airflow-scheduler", 0, container("scheduler", "100m", "64Mi"))
    settings = settings_of("dev", f"{values} airflow.stopped=true")
    nothing = Load(0, Amounts(0, 0), Amounts(0, 0))
    assert capacity([stopped, template()], settings).worst == nothing


AIRFLOW_2, AIRFLOW_3 = "airflow.version=2.11.2", "airflow.version=3.3.2"
POOLS = 3 * 15  # scheduler, DAG processor, triggerer
JOBS = 2


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        # 3.x: pools only, for tasks talk to the API; a web process has two pools.
        (f"{AIRFLOW_3} airflow.executor=KubernetesExecutor", POOLS + 60 + JOBS),
        (f"{AIRFLOW_3} airflow.scheduler.replicas=2", POOLS + 15 + 60 + JOBS),
        (f"{AIRFLOW_3} airflow.apiServer.replicas=2", POOLS + 120 + JOBS),
        (f"{AIRFLOW_3} airflow.apiServer.maxReplicas=2", POOLS + 120 + JOBS),
        # 2.x: one pool for a web process, two connections for each of ten tasks.
        (f"{AIRFLOW_2} airflow.executor=KubernetesExecutor", POOLS + 30 + 20 + JOBS),
        (f"{AIRFLOW_2} airflow.executor=LocalExecutor", POOLS + 30 + 20 + JOBS),
        (f"{AIRFLOW_2} airflow.executor=LocalKubernetesExecutor", POOLS + 30 + 20 + JOBS),
        (f"{AIRFLOW_2} airflow.executor=SequentialExecutor", POOLS + 30 + 2 + JOBS),
        (
            f"{AIRFLOW_2} "
            'airflow.configuration={"database":{"sql_alchemy_pool_size":2,"sql_alchemy_max_overflow":1}}',
            3 * 3 + 6 + 20 + JOBS,
        ),
        # Each Celery slot writes its result. On 2.x Flower has a pool, and a task in each slot
        # has two connections. One is for the cost of deletions, and one for KEDA.
        (f"{AIRFLOW_3} airflow.executor=CeleryExecutor", POOLS + 60 + 8 + JOBS + 1),
        (
            f"{AIRFLOW_3} airflow.executor=CeleryExecutor airflow.keda.enabled=true",
            POOLS + 60 + 8 + JOBS + 2,
        ),
        (f"{AIRFLOW_2} airflow.executor=CeleryExecutor", POOLS + 30 + 15 + 8 + 16 + JOBS + 1),
        (f"{AIRFLOW_2} airflow.executor=CeleryKubernetesExecutor", POOLS + 45 + 8 + 20 + JOBS + 1),
        ("airflow.stopped=true", 0),
    ],
)
def test_connections_at_full_parallelism(overrides: str, expected: int) -> None:
    workers = (
        '{"default":{"queues":["default"],"concurrency":4,"replicas":1,"maxReplicas":2,'
        '"resources":{"requests":{"cpu":"1","memory":"1Gi"},"limits":{"cpu":"1","memory":"1Gi"}},'
        '"nodeSelector":{},"tolerations":[]}}'
    )
    common = f"airflow.parallelism=10 airflow.apiServer.workers=2 airflow.celery.workers={workers}"
    settings = settings_of("dev", f"{common} {overrides}")
    assert connections.needed(settings) == expected


def test_connections_that_mysql_allows() -> None:
    cluster = "database.cluster.maxConnections=90"
    assert connections.allowed(settings_of("dev", cluster)) == 90
    external = 'database.mode=external database.external={"host":"db","port":1,"secret":"s"}'
    assert connections.allowed(settings_of("dev", external)) is None
