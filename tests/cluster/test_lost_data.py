"""Nothing lost: servers that cannot start, Secrets, claims and databases that are gone.

Airflow is stopped in most of them: MySQL and Redis are what matters. The tests build on each other
in this order.
"""

import json
import re
from collections.abc import Iterator

import pytest
from airflow_kubernetes.cli import installed_release

from .conftest import Deployment, in_namespace, wait_for
from .scenarios import on
from .shared_airflow.test_backup import sql

pytestmark = [pytest.mark.cluster, pytest.mark.long]

RELEASE = "3.3.2"
NOPE = "10.244.0.1:5000/stand-in/nope:9.7"
TINY = (
    "database.cluster.resources.limits.memory=48Mi database.cluster.resources.requests.memory=48Mi "
    "database.cluster.bufferPool=16M"
)


@pytest.fixture(scope="module")
def running(sandbox: None) -> Iterator[Deployment]:
    """An empty namespace for an Airflow with Celery."""
    deployment = on(in_namespace("airflow-lost", 30122), executor="CeleryExecutor")
    deployment.remove(wait=True)
    yield deployment
    deployment.remove()


@pytest.fixture
def stopped(running: Deployment) -> Deployment:
    """The same with Airflow stopped."""
    return on(running, stopped="true")


def secret(airflow: Deployment, name: str, key: str) -> str:
    template = f'go-template={{{{index .data "{key}" | base64decode}}}}'
    return airflow.kubectl("get", "secret", name, "-o", template)


def write(airflow: Deployment, name: str, key: str, value: str) -> None:
    patch = json.dumps({"stringData": {key: value}})
    airflow.kubectl("patch", "secret", name, "--patch", patch)


def variable(airflow: Deployment, pod: str, name: str) -> str:
    return airflow.kubectl("exec", pod, "--", "sh", "-c", f'echo "${name}"').strip()


def image(airflow: Deployment, pod: str) -> str:
    return airflow.kubectl("get", "pod", pod, "-o", "jsonpath={.spec.containers[0].image}")


def images(airflow: Deployment) -> set[str]:
    """Those of MySQL's and Redis' pods."""
    servers = "--selector=app.kubernetes.io/component in (mysql, redis)"
    found = airflow.kubectl("get", "pods", servers, "-o", "jsonpath={..containers[0].image}")
    return {*found.split()}


def test_an_up_corrects_servers_whose_image_does_not_exist(stopped: Deployment) -> None:
    stopped.up()
    output = stopped.up(more=f"database.cluster.image={NOPE} broker.cluster.image={NOPE}", ok=False)
    assert "ImagePullBackOff" in output
    # The first of them that fails ends the command.
    wait_for("the wrong images", lambda: images(stopped) == {NOPE})
    stopped.up()
    assert sql(stopped, "SELECT 1") == "1"
    assert NOPE not in images(stopped)


def test_an_up_corrects_a_server_without_memory(stopped: Deployment) -> None:
    assert "airflow-mysql" in stopped.up(more=TINY, ok=False)
    stopped.up()
    assert sql(stopped, "SELECT 1") == "1"


def test_a_wrong_password_is_said_and_put_right(stopped: Deployment) -> None:
    password = secret(stopped, "airflow-mysql", "password")
    write(stopped, "airflow-mysql", "password", "wrong")
    output = stopped.up(more="secrets.revision=2", ok=False)
    assert "Access denied for user 'airflow'" in output
    assert "write the former one into the Secret" in output
    write(stopped, "airflow-mysql", "password", password)
    stopped.up(more="secrets.revision=2")
    assert sql(stopped, "SELECT 1") == "1"


def test_a_lost_secret_restarts_the_server_that_uses_it(stopped: Deployment) -> None:
    stopped.up()
    before, mysql = secret(stopped, "airflow-celery", "broker-password"), stopped.pods("mysql")
    stopped.kubectl("delete", "secret", "airflow-celery")
    output = stopped.up()
    assert "StatefulSet airflow-redis: restarted, as the Secret airflow-celery is newer" in output
    password = secret(stopped, "airflow-celery", "broker-password")
    assert variable(stopped, "airflow-redis-0", "REDIS_PASSWORD") == password != before
    assert stopped.pods("mysql") == mysql
    assert "restarted" not in stopped.up()


def test_another_series_of_mysql_requires_a_backup_and_a_lower_one_is_refused(
    running: Deployment, stopped: Deployment
) -> None:
    # What a migration would leave.
    sql(stopped, "CREATE TABLE alembic_version (version_num VARCHAR(32))")
    installed_release.record(stopped.target(), RELEASE)
    current = image(stopped, "airflow-mysql-0")
    lower, higher = (f"{current.rpartition(':')[0]}:{series}" for series in ("8.4", "10.1"))
    for goal in ("preview", "up"):
        command = running.command(goal, more=f"database.cluster.image={lower}")
        assert "MySQL 8.4 cannot read data of MySQL 9." in running.call(*command, ok=False)
        command = running.command(goal, more=f"database.cluster.image={higher}")
        output = running.call(*command, ok=False)
        assert "requires a backup of the last 24 hours" in output
        assert "make backup ENV=sandbox" in output
    stopped.make("backup")
    preview = running.command("preview", more=f"database.cluster.image={higher}")
    assert "would change" in running.call(*preview)
    assert image(stopped, "airflow-mysql-0") == current


def test_another_database_that_is_empty_is_refused(running: Deployment) -> None:
    """Of the right server, by the wrong name: it does not exist, or nobody has loaded it."""
    script = 'MYSQL_PWD="$MYSQL_ROOT_PASSWORD" mysql -uroot -e "$1"'
    grant = "CREATE DATABASE empty_one; GRANT ALL ON empty_one.* TO airflow@'%'"
    running.kubectl("exec", "airflow-mysql-0", "--", "sh", "-c", script, "sh", grant)
    password = secret(running, "airflow-mysql", "password")
    login = ("--from-literal=username=airflow", f"--from-literal=password={password}")
    running.kubectl("create", "secret", "generic", "mine", *login)
    external = (
        "database.mode=external database.cluster.keepClaim=false "
        "database.external.host=airflow-mysql database.external.secret=mine"
    )
    for goal in ("preview", "up"):
        command = running.command(goal, more=f"{external} database.name=empty_one")
        output = running.call(*command, ok=False)
        assert "the database empty_one on airflow-mysql is empty" in output
        assert f"Airflow {RELEASE} is installed in namespace airflow-lost" in output
    right = running.command("preview", more=f"{external} database.name=airflow")
    assert "would change" in running.call(*right)


def test_the_guard_refuses_an_empty_database_where_a_release_is_installed(
    running: Deployment,
) -> None:
    """What a plain `pulumi up` would run into."""
    sql(running, "DROP TABLE alembic_version")
    assert "the database airflow on airflow-mysql is empty" in running.up(ok=False)
    (job,) = (
        obj
        for obj in running.rendered()
        if obj["kind"] == "Job" and "migrations" in obj["metadata"]["name"]
    )
    accounts = [obj for obj in running.rendered() if obj["kind"] == "ServiceAccount"]
    for obj in (*accounts, job):
        running.target().kubectl.run("apply", "--server-side", "--filename=-", objects=[obj])
    name = f"job/{job['metadata']['name']}"
    running.kubectl("wait", name, "--for=condition=Failed", "--timeout=120s")
    log = running.kubectl("logs", name, "-c", "guard-release")
    running.kubectl("delete", name)
    assert f"refused: the database is empty, and Airflow {RELEASE} was installed here" in log
    assert sql(running, "SHOW TABLES") == ""


def test_a_lost_claim_is_refused_and_the_way_back_is_a_backup(
    running: Deployment, stopped: Deployment
) -> None:
    running.make("down")
    running.kubectl("delete", "pvc", "airflow-mysql")
    for goal in ("preview", "up"):
        message = running.call(*running.command(goal), ok=False)
        assert "the claim airflow-mysql is gone, and with it the database" in message
    assert not running.kubectl("get", "pvc", "airflow-mysql", "--ignore-not-found")
    found = re.search(r"make restore FROM=(\S+)", message)
    assert found is not None
    stopped.up()
    assert "the database airflow on airflow-mysql is empty" in running.up(ok=False)
    stopped.make("restore", f"FROM={found[1]}")
    assert "would change" in running.call(*running.command("preview"))


def test_a_claim_that_is_being_deleted_is_said_while_its_data_is_there(
    running: Deployment, stopped: Deployment
) -> None:
    running.kubectl("delete", "pvc", "airflow-mysql", "--wait=false")
    for goal in ("preview", "up"):
        output = running.call(*running.command(goal), ok=False)
        assert "the claim airflow-mysql is being deleted" in output
    assert sql(running, "SHOW TABLES") == "alembic_version"


def test_an_environment_is_begun_again_on_purpose(running: Deployment) -> None:
    running.make("down")
    wait_for("the claim", lambda: not running.kubectl("get", "pvc", "-o", "name", *NO_MYSQL))
    message = running.call(*running.command("preview"), ok=False)
    command = re.search(r"kubectl --context \S+ --namespace \S+ delete configmap \S+", message)
    assert command is not None
    running.call(*command[0].rstrip(",").split())
    assert "would change" in running.call(*running.command("preview"))


NO_MYSQL = ("airflow-mysql", "--ignore-not-found")


def test_an_airflow_with_celery_outlives_the_loss_of_its_secret(running: Deployment) -> None:
    running.make("up")
    before = running.pods()
    running.kubectl("delete", "secret", "airflow-celery")
    output = running.up()
    for name in ("redis", "scheduler", "worker-default", "flower"):
        assert re.search(rf"airflow-{name}: restarted, as the Secret airflow-celery", output), name
    after = running.pods()
    assert {uid for name, uid in before.items() if "mysql" in name} <= {*after.values()}
    assert ": success" in running.make("smoke")


def test_a_namespace_that_is_being_deleted_is_said(running: Deployment) -> None:
    hold = {"metadata": {"finalizers": ["example.com/test"]}}
    running.kubectl("create", "configmap", "hold")
    running.kubectl("patch", "configmap", "hold", "--patch", json.dumps(hold))
    running.kubectl("delete", "namespace", running.namespace, "--wait=false")
    try:
        for goal in ("preview", "up", "down"):
            output = running.call(*running.command(goal), ok=False)
            assert "the namespace airflow-lost is being deleted" in output
            assert "wait --for=delete namespace/airflow-lost" in output
    finally:
        free = {"metadata": {"finalizers": None}}
        running.kubectl("patch", "configmap", "hold", "--patch", json.dumps(free))
