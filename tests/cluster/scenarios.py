"""What every executor must do on every release, as steps on a running deployment."""

import dataclasses
import re
import urllib.error
import urllib.request
from typing import Any

from airflow_kubernetes.airflow.migrations import RELEASE_RECORD
from airflow_kubernetes.cli.rest import Rest, RestError
from airflow_kubernetes.kubernetes.order import ORDER

from .conftest import Deployment, wait_for

PLACES = {
    "SequentialExecutor": ("scheduler", "scheduler"),
    "LocalExecutor": ("scheduler", "scheduler"),
    "CeleryExecutor": ("worker", "worker"),
    "KubernetesExecutor": ("pod", "pod"),
    "LocalKubernetesExecutor": ("scheduler", "pod"),
    "CeleryKubernetesExecutor": ("worker", "pod"),
}
"""Where a task of the default queue runs, and one of the queue "kubernetes"."""

Tasks = list[dict[str, Any]]


def on(airflow: Deployment, **values: str) -> Deployment:
    """The same place with other values of `airflow.…`."""
    more = " ".join(f"airflow.{key}={value}" for key, value in values.items())
    return dataclasses.replace(airflow, overrides=f"{airflow.overrides} {more}")


def start(airflow: Deployment, dag: str, run_id: str, **params: int) -> Rest:
    """Trigger a run as soon as its DAG is known."""
    rest = airflow.rest()

    def known() -> bool:
        try:
            rest.patch(f"/dags/{dag}?update_mask=is_paused", {"is_paused": False})
        except RestError:
            return False
        return True

    wait_for(f"the DAG {dag}", known)
    rest.trigger(dag, run_id, params)
    return rest


def end(airflow: Deployment, dag: str, run_id: str, seconds: float = 420) -> Tasks:
    """Wait for a run's success; its task instances."""

    def ended() -> str | None:
        try:
            state = airflow.rest().get(f"/dags/{dag}/dagRuns/{run_id}")["state"]
        except Exception:  # the API is unavailable during a replacement
            return None
        return state if state in ("success", "failed") else None

    state = wait_for(f"the end of {dag} {run_id}", ended, seconds)
    rest = airflow.rest()
    tasks = rest.tasks(dag, run_id)
    failed = [rest.log(dag, run_id, task) for task in tasks if task["state"] != "success"]
    assert state == "success", "\n".join(failed)
    return tasks


def wait_until_running(airflow: Deployment, dag: str, run_id: str, task_id: str = "work") -> Tasks:
    """Wait until at least one instance of a task runs; those that do."""

    def running() -> Tasks:
        return [
            task
            for task in airflow.rest().tasks(dag, run_id)
            if task["task_id"] == task_id and task["state"] == "running" and task["hostname"]
        ]

    found: Tasks = wait_for(f"{dag}.{task_id} to run", running)
    return found


def components(airflow: Deployment) -> dict[str, str]:
    """Uid by name of the pods of Airflow itself, which no task begins or ends."""
    return airflow.pods(without="task")


def said(airflow: Deployment, dag: str, run_id: str) -> dict[str, str]:
    """The log of each task of a run that has begun, by its id."""
    rest = airflow.rest()
    tasks = rest.tasks(dag, run_id)
    return {t["task_id"]: rest.log(dag, run_id, t) for t in tasks if t["try_number"]}


def place(task: dict[str, Any]) -> str:
    """Where a task instance ran, by its host's name."""
    host = str(task["hostname"])
    return next((p for p in ("scheduler", "worker") if host.startswith(f"airflow-{p}-")), "pod")


def check_places(airflow: Deployment, executor: str, run_id: str) -> None:
    """Each queue's task ran where the executor runs it, and its log can be read afterwards."""
    start(airflow, "queues", run_id)
    tasks = {task["task_id"]: task for task in end(airflow, "queues", run_id)}
    default, kubernetes = PLACES[executor]
    assert place(tasks["on_default"]) == default
    assert place(tasks["on_kubernetes"]) == kubernetes
    assert tasks["on_kubernetes"]["queue"] == "kubernetes"
    wait_for("task pods to be gone", lambda: not airflow.pods("task"))
    rest = airflow.rest()
    report = rest.log("queues", run_id, tasks["report"])
    in_own_pod = {"default": default == "pod", "kubernetes": kubernetes == "pod"}
    for queue, own in in_own_pod.items():
        found = re.search(rf"{queue}: \{{'host': '([^']+)', 'own_pod': (True|False)", report)
        assert found is not None, report
        assert found[2] == str(own)
        # A host's name is at most 63 characters of the pod's.
        assert tasks[f"on_{queue}"]["hostname"].startswith(found[1])
    # The pod_override of that task: a variable that only its own pod has.
    override = "pod-override" if kubernetes == "pod" else ""
    assert re.search(rf"kubernetes: \{{.*'override': '{override}'", report)


def ends(airflow: Deployment, dag: str, run_id: str, task: dict[str, Any]) -> int:
    """How often a task of `parallel` came to its end, over all its tries."""
    rest = airflow.rest()
    logs = (
        rest.log(dag, run_id, task, attempt) for attempt in range(1, int(task["try_number"]) + 1)
    )
    return sum(log.count(f"task {task['map_index']} ends") for log in logs)


def check_ended_once(airflow: Deployment, dag: str, run_id: str, tasks: Tasks) -> None:
    """No task of a run of `parallel` was carried out twice."""
    work = [task for task in tasks if task["task_id"] == "work"]
    counts = {task["map_index"]: ends(airflow, dag, run_id, task) for task in work}
    assert set(counts.values()) == {1}, counts


def check_move(before: Deployment, after: Deployment, run_id: str, dag: str = "parallel") -> None:
    """Another executor is put in place while tasks run: they end where they are, once."""
    start(before, dag, run_id, tasks=2, seconds=45)
    running = wait_until_running(before, dag, run_id)
    after.up()
    tasks = end(after, dag, run_id)
    moved = {task["map_index"]: task for task in tasks if task["task_id"] == "work"}
    for task in running:
        assert moved[task["map_index"]]["hostname"] == task["hostname"]
        assert moved[task["map_index"]]["try_number"] == 1
    check_ended_once(after, dag, run_id, tasks)
    check_nothing_is_left_over(after)


def check_scheduler_killed(airflow: Deployment, run_id: str, dag: str = "parallel") -> None:
    """A scheduler that dies in mid-run delays the run, and nothing else."""
    start(airflow, dag, run_id, tasks=3, seconds=10)
    wait_until_running(airflow, dag, run_id)
    (before,) = airflow.pods("scheduler").items()
    airflow.kubectl("delete", "pod", before[0], "--grace-period=0", "--force")
    tasks = end(airflow, dag, run_id)
    assert before[1] not in airflow.pods("scheduler").values()
    check_ended_once(airflow, dag, run_id, tasks)


def check_warm_shutdown(airflow: Deployment, run_id: str) -> None:
    """A stopping worker finishes its running tasks itself, at the first try."""
    start(airflow, "parallel", run_id, tasks=3, seconds=15)
    running = wait_until_running(airflow, "parallel", run_id)
    worker = running[0]["hostname"]
    airflow.kubectl("delete", "pod", worker, "--wait=false")
    tasks = end(airflow, "parallel", run_id)
    indices = {task["map_index"] for task in running if task["hostname"] == worker}
    ended = [t for t in tasks if t["task_id"] == "work" and t["map_index"] in indices]
    assert {(task["hostname"], task["try_number"]) for task in ended} == {(worker, 1)}
    check_ended_once(airflow, "parallel", run_id, tasks)


def check_flower_asks_for_a_password(airflow: Deployment) -> None:
    """Flower answers to the generated password and to no one else."""
    template = 'go-template={{index .data "flower-password" | base64decode}}'
    password = airflow.kubectl("get", "secret", "airflow-celery", "-o", template)
    check_login_to_flower(airflow, "admin", password)


def check_login_to_flower(airflow: Deployment, user: str, password: str) -> None:
    """Flower answers to this login and to no other."""
    address = airflow.kubectl("get", "service", "airflow-flower", "-o=jsonpath={.spec.clusterIP}")

    def status(secret: str) -> int:
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        passwords.add_password(None, f"http://{address}:5555", user, secret)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPBasicAuthHandler(passwords)
        )
        try:
            with opener.open(f"http://{address}:5555/workers", timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    assert status(password) == 200
    assert status("admin") == 401


def check_nothing_is_left_over(airflow: Deployment) -> None:
    """The cluster has the program's objects and no others, and no task pod without a task."""
    wanted = {(obj["kind"], obj["metadata"]["name"]) for obj in airflow.rendered()}
    wanted.add(("ConfigMap", RELEASE_RECORD))  # `make up` writes it itself
    kinds, selector = ",".join(ORDER[1:]), "--selector=app.kubernetes.io/part-of=airflow-kubernetes"
    listed = [
        obj for place in airflow.target().kubectl.namespaces for obj in place.get(kinds, selector)
    ]
    there = {
        (obj["kind"], obj["metadata"]["name"])
        for obj in listed
        # CronJobs make Jobs; those of make backup and make restore go by themselves after a day.
        if "ownerReferences" not in obj["metadata"]
        if not (obj["kind"] == "Job" and "backup" in obj["metadata"]["name"])
    }
    assert there == {(kind, name) for kind, name in wanted if kind != "Namespace"}
    wait_for("task pods to be gone", lambda: not airflow.pods("task"))
