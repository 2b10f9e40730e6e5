"""A real Airflow on a real Kubernetes: up, used, hurt, taken down and up again.

The tests build on each other in this order.
"""

import json
import re

import pytest
from airflow_kubernetes.cli.rest import RestError
from airflow_kubernetes.cli.status import password

from ..conftest import Deployment, wait_for
from ..scenarios import end, start

pytestmark = pytest.mark.cluster


def test_up_ends_with_a_working_airflow_and_its_address(airflow: Deployment) -> None:
    output = airflow.make("up")
    assert f"address   {airflow.target().settings.airflow.url}" in output
    assert re.search(r"DAG smoke, run up-[0-9a-f]{16}: success", output)
    assert "user      admin" in output


def test_the_generated_password_logs_in_and_no_other(airflow: Deployment) -> None:
    assert len(password(airflow.target())) == 32
    rest = airflow.rest()
    with pytest.raises(RestError, match="401"):
        rest._send("POST", "/auth/token", {"username": "admin", "password": "admin"})


def test_the_smoke_dag_left_its_effect_and_its_log(airflow: Deployment) -> None:
    rest = airflow.rest()
    (run_id,) = airflow.runs()
    assert rest.get("/variables/smoke_last_run")["value"] == run_id
    wait_for("task pods to be gone", lambda: not airflow.pods("task"))
    tasks = rest.tasks("smoke", run_id)
    assert {task["task_id"] for task in tasks} == {"choose", "record"}
    (record,) = (task for task in tasks if task["task_id"] == "record")
    assert f"smoke_last_run = {run_id}" in rest.log("smoke", run_id, record)


def test_every_task_ran_in_a_pod_of_its_own(airflow: Deployment) -> None:
    (run_id,) = airflow.runs()
    tasks = airflow.rest().tasks("smoke", run_id)
    hosts = {task["hostname"] for task in tasks}
    assert len(hosts) == 2
    assert all(host.startswith("smoke-") for host in hosts)


def test_what_task_pods_used_is_in_the_report_with_what_to_set(airflow: Deployment) -> None:
    rows = [line.split() for line in airflow.make("usage").splitlines() if line]
    (dag,) = (row for row in rows if row[0] == "smoke")
    assert dag[1] == "2"
    assert all(float(used.removesuffix("%")) > 0 for used in (dag[4], dag[6])), "pods reported it"
    tasks = [row for row in rows if row[0].startswith("smoke.")]
    assert {row[0] for row in tasks} == {"smoke.choose", "smoke.record"}
    for _, pods, cpu, cpu_used, _, memory, memory_used, memory_to_set in tasks:
        assert (pods, cpu, memory) == ("1", "25m", "256Mi")
        assert int(cpu_used.removesuffix("m")) > 25, "Airflow's own start takes more"
        assert 64 < int(memory_used.removesuffix("Mi")) < int(memory_to_set.removesuffix("Mi"))


def test_the_node_holds_all_that_always_runs(airflow: Deployment) -> None:
    first, free, always, peak, *waiting = airflow.make("capacity").splitlines()
    assert first == "sandbox on 1 node"
    assert free.startswith("free next to other pods")
    assert always.endswith("fits")
    assert peak.endswith("fits") == (not waiting)
    more = airflow.make("capacity", more="airflow.tasks.resources.requests.cpu=1000m")
    assert re.search(r"of 8 task: no room\n.*\bmore nodes? would do", more)


def test_a_second_up_changes_nothing(airflow: Deployment) -> None:
    def state() -> dict[str, str]:
        kinds = "deployments,statefulsets,jobs,services,configmaps,secrets,roles,pvc,pods"
        items = json.loads(airflow.kubectl("get", kinds, "-o", "json"))["items"]
        return {
            f"{item['kind']} {item['metadata']['name']}": (
                f"{item['metadata']['uid']} {item['metadata'].get('generation')} {item.get('data')}"
            )
            for item in items
        }

    wait_for("task pods to be gone", lambda: not airflow.pods("task"))
    before, runs = state(), airflow.runs()
    output = airflow.up()
    assert "nothing changed" in output
    assert state() == before
    assert airflow.runs() == runs


def test_no_container_ever_crashed(airflow: Deployment) -> None:
    items = json.loads(airflow.kubectl("get", "pods", "-o", "json"))["items"]
    restarts = {
        item["metadata"]["name"]: status["restartCount"]
        for item in items
        for status in item["status"].get("containerStatuses", [])
    }
    assert set(restarts.values()) == {0}, restarts


def test_a_changed_value_rolls_its_pods_and_no_others(airflow: Deployment) -> None:
    def of(pods: dict[str, str], component: str) -> set[str]:
        return {uid for name, uid in pods.items() if f"airflow-{component}-" in name}

    before = airflow.pods()
    output = airflow.up(more="airflow.tasks.resources.limits.memory=640Mi")
    assert "Deployment airflow-scheduler" in output
    after = airflow.pods()
    assert of(before, "scheduler").isdisjoint(of(after, "scheduler"))
    for component in ("api-server", "dag-processor", "triggerer", "mysql"):
        assert of(before, component) == of(after, component) != set()


def test_the_scheduler_is_killed_in_mid_run_and_the_run_ends_green(airflow: Deployment) -> None:
    start(airflow, "smoke", "scheduler-killed")
    wait_for("a task pod", lambda: airflow.pods("task"))
    (before,) = airflow.pods("scheduler").items()
    airflow.kubectl("delete", "pod", before[0], "--grace-period=0", "--force")
    end(airflow, "smoke", "scheduler-killed")
    assert before[1] not in airflow.pods("scheduler").values()


@pytest.mark.long
def test_mysql_is_killed_in_mid_run_and_no_run_is_lost(airflow: Deployment) -> None:
    runs = set(airflow.runs())
    start(airflow, "smoke", "mysql-killed")
    wait_for("a task pod", lambda: airflow.pods("task"))
    ((name, uid),) = airflow.pods("mysql").items()
    airflow.kubectl("delete", "pod", name, "--grace-period=0", "--force")
    wait_for("a new MySQL pod", lambda: airflow.pods("mysql").get(name) not in (uid, None))
    end(airflow, "smoke", "mysql-killed")
    assert set(airflow.runs()) == runs | {"mysql-killed"}


def test_down_keeps_the_data_and_up_finds_it_again(airflow: Deployment) -> None:
    runs, secret = airflow.runs(), password(airflow.target())
    output = airflow.make("down")
    assert "PersistentVolumeClaim airflow-mysql" in output
    assert "Secret airflow-keys" in output
    assert f"delete namespace {airflow.namespace}" in output
    wait_for("all pods to be gone", lambda: not airflow.pods())

    # The data without its keys is refused, before anything is touched.
    keys = airflow.kubectl("get", "secret", "airflow-keys", "-o", "json")
    airflow.kubectl("delete", "secret", "airflow-keys")
    refusal = airflow.up(ok=False)
    assert "the Secret airflow-keys that belongs to its data is gone" in refusal
    assert not airflow.pods()
    copy = json.loads(keys)
    for field in ("resourceVersion", "uid", "creationTimestamp", "managedFields"):
        copy["metadata"].pop(field, None)
    _create(airflow, copy)

    airflow.up()
    assert password(airflow.target()) == secret
    assert airflow.runs() == runs


def _create(airflow: Deployment, obj: dict[str, object]) -> None:
    airflow.target().kubectl.run("create", "--filename=-", objects=[obj])


@pytest.mark.long
def test_switching_to_an_external_database_leaves_the_claim(airflow: Deployment) -> None:
    more = "database.mode=external database.external.host=db database.external.secret=db"
    output = airflow.make("preview", more=more)
    assert "StatefulSet airflow-mysql (no longer wanted)" in output
    assert "PersistentVolumeClaim" not in output
    assert "Secret" not in output.partition("diff -ruN")[0]


@pytest.mark.long
def test_airflow_reaches_the_database_by_tls(airflow: Deployment) -> None:
    asked = (
        "SELECT DISTINCT connection_type FROM performance_schema.threads "
        "WHERE processlist_user = 'airflow' AND processlist_db = 'airflow'"
    )
    script = f'MYSQL_PWD="$MYSQL_ROOT_PASSWORD" mysql -uroot -N -e "{asked}"'
    found = airflow.kubectl("exec", "airflow-mysql-0", "--", "sh", "-c", script)
    assert "SSL/TLS" in found.split("\n")


@pytest.mark.long
def test_airflow_runs_on_an_external_database(airflow: Deployment, elsewhere: Deployment) -> None:
    # The server is another namespace's; the password has what a URL cannot hold as it is.
    statements = (
        "CREATE DATABASE elsewhere; "
        "CREATE USER elsewhere IDENTIFIED BY 'p@ss/word'; "
        "GRANT ALL ON elsewhere.* TO elsewhere;"
    )
    script = f'MYSQL_PWD="$MYSQL_ROOT_PASSWORD" mysql -uroot -e "{statements}"'
    airflow.kubectl("exec", "airflow-mysql-0", "--", "sh", "-c", script)
    elsewhere.kubectl("create", "namespace", elsewhere.namespace)
    values = ("--from-literal=username=elsewhere", "--from-literal=password=p%40ss%2Fword")
    elsewhere.kubectl("create", "secret", "generic", "database", *values)
    output = elsewhere.make(
        "up",
        more="database.mode=external database.name=elsewhere database.external.secret=database "
        f"database.external.host=airflow-mysql.{airflow.namespace} "
        "database.cluster.keepClaim=false",
    )
    assert re.search(r"DAG smoke, run up-[0-9a-f]{16}: success", output)
    kinds = elsewhere.kubectl("get", "statefulsets,pvc", "-o", "name").split()
    claims = ("airflow-backups", "airflow-logs")
    assert kinds == [f"persistentvolumeclaim/{name}" for name in claims]


def test_another_engine_is_refused(airflow: Deployment) -> None:
    def made_by(engine: str) -> None:
        note = f"airflow-kubernetes/engine={engine}"
        airflow.kubectl("annotate", "namespace", airflow.namespace, note, "--overwrite")

    made_by("pulumi")
    try:
        output = airflow.up(ok=False)
    finally:
        made_by("kubectl")
    assert "was made by the engine pulumi" in output


@pytest.mark.long
def test_a_database_that_refuses_the_password_is_an_error_at_once(
    airflow: Deployment, elsewhere: Deployment
) -> None:
    elsewhere.kubectl("create", "namespace", elsewhere.namespace)
    values = ("--from-literal=username=elsewhere", "--from-literal=password=wrong")
    elsewhere.kubectl("create", "secret", "generic", "database", *values)
    output = elsewhere.up(
        ok=False,
        more="database.mode=external database.name=elsewhere database.external.secret=database "
        f"database.external.host=airflow-mysql.{airflow.namespace} "
        "database.cluster.keepClaim=false",
    )
    assert "check database.external and its Secret: a connection: Access denied for" in output


def test_a_failure_is_told_with_its_events_and_a_bad_exit(elsewhere: Deployment) -> None:
    image = "10.244.0.1:5000/stand-in/no-such-image:1"
    output = elsewhere.up(ok=False, more=f"database.cluster.image={image}")
    assert "StatefulSet airflow-mysql: failed: ImagePullBackOff" in output
    assert "pod airflow-mysql-0, container mysql" in output
    assert "Failed to pull image" in output
