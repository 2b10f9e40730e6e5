"""What an environment needs, summed from its objects."""

from typing import Any

import pytest
import yaml
from airflow_kubernetes.kubernetes.manifest import Manifest
from airflow_kubernetes.policies.capacity import Amounts, Load, capacity, load

from .policy_examples import obj

MI = 2**20


def container(name: str, cpu: str, memory: str, **more: Any) -> dict[str, Any]:
    """One that may take twice what it requests in CPU."""
    limits = {"cpu": f"{2 * int(cpu[:-1])}m", "memory": memory}
    return {
        "name": name,
        "resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": limits},
        **more,
    }


def deployment(name: str, replicas: int, *containers: dict[str, Any]) -> Manifest:
    spec = {"replicas": replicas, "template": {"spec": {"containers": list(containers)}}}
    return obj("Deployment", name, spec=spec)


def configuration(**values: str) -> Manifest:
    return obj("ConfigMap", "airflow-config", data=values)


def template(*env: str) -> Manifest:
    pod = {"spec": {"containers": [container("base", "100m", "256Mi", env=named(*env))]}}
    return obj("ConfigMap", "airflow-pod-template", data={"pod_template.yaml": yaml.dump(pod)})


def named(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "value": "$(URL)"} for name in names]


DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
PARALLEL = {"AIRFLOW__CORE__PARALLELISM": "10"}
API = {"AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "http://airflow-web:8080/execution/"}


def test_a_pod_needs_what_runs_in_it_at_a_time() -> None:
    pod = {
        "initContainers": [
            container("sync", "50m", "64Mi", restartPolicy="Always"),
            container("wait", "400m", "32Mi"),
        ],
        "containers": [container("one", "100m", "128Mi"), container("two", "200m", "64Mi")],
    }
    # CPU: the side-car with the init container; memory: the side-car with both others.
    assert load(pod) == Load(1, Amounts(0.45, 256 * MI), Amounts(0.9, 256 * MI))


def test_replicas_autoscaling_jobs_and_claims() -> None:
    scaler = obj(
        "HorizontalPodAutoscaler", "airflow-worker",
        spec={
            "scaleTargetRef": {"kind": "Deployment", "name": "airflow-worker"},
            "minReplicas": 2, "maxReplicas": 5,
        },
    )  # fmt: skip
    job = obj("Job", "a-1", spec=deployment("a", 1, container("a", "10m", "1Mi"))["spec"])
    claim = obj("PersistentVolumeClaim", "a", spec={"resources": {"requests": {"storage": "1Gi"}}})
    found = capacity(
        [
            deployment("airflow-worker", 1, container("x", "100m", "64Mi")),
            deployment("other", 3, container("x", "100m", "64Mi")),
            scaler,
            job,
            claim,
            claim,
        ]
    )
    assert (found.least.pods, found.most.pods, found.worst.pods) == (5, 8, 9)
    assert found.least.requests == Amounts(0.5, 5 * 64 * MI)
    assert found.most.limits == Amounts(1.6, 8 * 64 * MI)
    assert found.worst.requests == Amounts(0.81, 8 * 64 * MI + MI)
    assert found.storage == 2 * 2**30
    assert found.max_connections is None


def test_at_worst_each_scheduler_has_as_many_task_pods_as_it_may() -> None:
    scheduler = deployment("airflow-scheduler", 2, container("scheduler", "100m", "64Mi"))
    found = capacity([scheduler, template(), configuration(**PARALLEL)])
    assert found.task_pods == 20
    assert found.worst.requests == Amounts(2.2, 2 * 64 * MI + 20 * 256 * MI)
    stopped = deployment("airflow-scheduler", 0, container("scheduler", "100m", "64Mi"))
    assert capacity([stopped, template(), configuration(**PARALLEL)]).worst == Load()


@pytest.mark.parametrize(
    ("more", "settings", "connections"),
    [
        # 3.x: pools only, for tasks talk to the API; two workers with two pools each.
        ([template()], {**API, "AIRFLOW__API__WORKERS": "2"}, 15 + 60),
        # 2.x: two for each of ten tasks beside the pools, wherever they run, but once.
        ([template(DATABASE)], {}, 15 + 30 + 20),
        ([], {"AIRFLOW__CORE__EXECUTOR": "LocalExecutor"}, 15 + 30 + 20),
        ([template(DATABASE)], {"AIRFLOW__CORE__EXECUTOR": "LocalKubernetesExecutor"}, 65),
        ([], {"AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE": "2"}, 12 + 24),
    ],
)
def test_connections_of_pools_and_tasks(
    more: list[Manifest], settings: dict[str, str], connections: int
) -> None:
    objects = [
        deployment("s", 1, container("scheduler", "1m", "1Mi", env=named(DATABASE))),
        deployment(
            "w", 1, container("api-server", "1m", "1Mi", env=named(DATABASE, f"{DATABASE}_ASYNC"))
        ),
        configuration(**PARALLEL, **settings),
        *more,
    ]
    assert capacity(objects).connections == connections


def test_connections_of_celery_workers() -> None:
    worker = container(
        "worker", "1m", "1Mi",
        args=["airflow", "celery", "worker", "--concurrency", "4"],
        env=named("AIRFLOW__CELERY__RESULT_BACKEND"),
    )  # fmt: skip
    objects = [deployment("s", 1, container("scheduler", "1m", "1Mi")), deployment("w", 3, worker)]
    # A slot writes its result; on 2.x ten tasks, fewer than there are slots, have two each.
    assert capacity([*objects, configuration(**PARALLEL, **API)]).connections == 12
    assert capacity([*objects, configuration(**PARALLEL)]).connections == 12 + 20


def test_what_mysql_allows() -> None:
    mysql = deployment(
        "airflow-mysql", 1, container("m", "1m", "1Mi", args=["--max-connections=9"])
    )
    assert capacity([{**mysql, "kind": "StatefulSet"}]).max_connections == 9
