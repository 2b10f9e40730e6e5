"""The scheduler: alone, or with the tasks that its executor runs in its pod or in others."""

import pytest
from airflow_kubernetes.airflow.executors import EXECUTORS
from airflow_kubernetes.airflow.releases import PREVIOUS, RELEASES

from .objects import Object, env, init, objects, pods

WAITS = ["wait-for-migrations", "wait-for-tasks"]


def scheduler(overrides: str) -> Object:
    return pods(objects(overrides))["scheduler"]


def timeout_of_the_wait() -> int:
    args = scheduler("")["initContainers"][1]["args"]
    return int(args[args.index("--timeout") + 1])


def test_it_is_replaced_and_not_joined_by_the_next_scheduler() -> None:
    spec = objects()["Deployment/airflow-scheduler"]["spec"]
    assert spec["strategy"] == {"type": "Recreate"}
    # It waits for other executors' tasks: longer than these may take.
    assert spec["progressDeadlineSeconds"] > timeout_of_the_wait()
    assert init(scheduler("")) == WAITS


def test_with_task_pods_it_has_their_template_and_reports_why_they_do_not_start() -> None:
    pod = scheduler("airflow.executor=KubernetesExecutor")
    main, reporter = pod["containers"]
    assert reporter["name"] == "pending-pods"
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= reporter.keys()
    assert "/opt/pod-template" in {m["mountPath"] for m in main["volumeMounts"]}
    (alone,) = scheduler("airflow.executor=LocalExecutor")["containers"]
    assert "pod-template" not in {mount["name"] for mount in alone["volumeMounts"]}


@pytest.mark.parametrize("version", RELEASES)
def test_only_with_task_pods_it_has_the_executor_that_waits_for_the_cluster(version: str) -> None:
    def bound(executor: str) -> str | None:
        given = f"airflow.version={version} airflow.tasks.disruptionRetries=7"
        main = scheduler(f"{given} airflow.executor={executor}")["containers"][0]
        return env(main).get("TASK_DISRUPTION_RETRIES")

    assert {name: bound(name) for name in EXECUTORS} == {
        name: "7" if "Kubernetes" in name else None for name in EXECUTORS
    }


def test_running_tasks_itself_it_has_their_resources_settings_and_time_to_end() -> None:
    pod = scheduler(
        "airflow.executor=LocalExecutor airflow.parallelism=2 airflow.tasks.gracePeriod=60 "
        "airflow.tasks.env.GREETING=hello airflow.scheduler.resources.limits.cpu=1000m "
        "airflow.tasks.resources.limits.cpu=500m"
    )
    (container,) = pod["containers"]
    assert container["resources"]["limits"]["cpu"] == "2000m"
    assert env(container)["GREETING"] == "hello"
    assert pod["terminationGracePeriodSeconds"] == 90
    assert "terminationGracePeriodSeconds" not in scheduler("airflow.executor=KubernetesExecutor")


@pytest.mark.parametrize(
    ("overrides", "action"),
    [
        ("airflow.executor=SequentialExecutor", "httpGet"),
        # It has no heartbeat while a task runs, which is no reason to restart it.
        (f"airflow.executor=SequentialExecutor airflow.version={PREVIOUS}", "tcpSocket"),
        (f"airflow.executor=LocalExecutor airflow.version={PREVIOUS}", "httpGet"),
    ],
)
def test_its_health_is_asked_in_a_way_that_it_can_answer(overrides: str, action: str) -> None:
    assert action in scheduler(overrides)["containers"][0]["livenessProbe"]


def test_it_knows_the_broker_only_where_there_are_workers() -> None:
    def knows(executor: str) -> bool:
        container = scheduler(f"airflow.executor={executor}")["containers"][0]
        return "AIRFLOW__CELERY__BROKER_URL" in env(container)

    assert knows("CeleryExecutor")
    assert not knows("KubernetesExecutor")
