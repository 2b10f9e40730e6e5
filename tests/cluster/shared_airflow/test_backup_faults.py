"""What goes wrong around backups and restores: nothing is lost, and messages say what happened.

Short timeouts and time zones of the server, clocks, commands at the same time, killed commands,
drained nodes. The tests build on each other in this order.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from ..conftest import Deployment, wait_for
from ..scenarios import on
from .test_backup import names, on_the_volume, sql

pytestmark = [pytest.mark.cluster, pytest.mark.long]

SHORT = ("wait_timeout", "interactive_timeout", "net_read_timeout", "net_write_timeout")
JOBS = {"triggerer": "TriggererJob", "dag-processor": "DagProcessorJob"}
COMMANDS = (("up",), ("down",), ("upgrade",), ("backup",), ("restore", "--from=x"))

PATIENCE = 300
"""Seconds for a Job to come so far."""

ZONE = """
INSERT INTO mysql.time_zone (Use_leap_seconds) VALUES ('N');
SET @zone = LAST_INSERT_ID();
INSERT INTO mysql.time_zone_name VALUES ('Test/Zone', @zone);
INSERT INTO mysql.time_zone_transition_type VALUES (@zone, 0, 20700, 0, 'TST');
"""
"""Quarter to six hours before UTC; the sandbox's MySQL has no zones by name."""

LIVE = """
import os, sys
sys.path.insert(0, "/opt/checks")
import MySQLdb, guard_release
guard_release.WAIT_SECONDS = 0
url = os.environ[guard_release.URL_VARIABLE]
print(*guard_release.live(MySQLdb.connect(**guard_release.connect_arguments(url))))
"""
"""What the guard of a release change takes for alive."""

ASYNC = """
import asyncio, os
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

async def zone():
    engine = create_async_engine(os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"])
    async with engine.connect() as connection:
        print(await connection.scalar(text("SELECT @@time_zone")))
    await engine.dispose()

asyncio.run(zone())
"""


@pytest.fixture(scope="module")
def airflow(airflow: Deployment) -> Deployment:
    """The Airflow of all modules, which keeps two backups of a kind."""
    deployment = Deployment(airflow.namespace, f"{airflow.overrides} database.backup.keep=2")
    deployment.up()
    return deployment


@contextmanager
def short_timeouts(airflow: Deployment) -> Iterator[None]:
    """A server that ends new sessions after a second of silence."""
    root(airflow, " ".join(f"SET GLOBAL {name} = 1;" for name in SHORT))
    try:
        yield
    finally:
        root(airflow, " ".join(f"SET GLOBAL {name} = DEFAULT;" for name in SHORT))


def root(airflow: Deployment, statements: str) -> str:
    """What MySQL answers to root."""
    script = 'MYSQL_PWD="$MYSQL_ROOT_PASSWORD" mysql -uroot -N -e "$1"'
    return airflow.kubectl("exec", "airflow-mysql-0", "--", "sh", "-c", script, "sh", statements)


def in_pod(airflow: Deployment, component: str, *command: str) -> str:
    """Output of a command in a component's container."""
    place = (f"deploy/airflow-{component}", f"--container={component}")
    return airflow.kubectl("exec", *place, "--", *command)


@contextmanager
def held(airflow: Deployment, statements: str, *, blocked: bool = False) -> Iterator[None]:
    """A session of root that has executed the statements and stays open meanwhile.

    If it is `blocked`, it still waits for a lock of another one.
    """
    count = "SELECT COUNT(*) FROM information_schema.processlist WHERE info = 'SELECT SLEEP(999)'"
    before = int(root(airflow, count))
    script = 'MYSQL_PWD="$MYSQL_ROOT_PASSWORD" exec mysql -uroot -N -n airflow -e "$1"'
    command = ["kubectl", "-n", airflow.namespace, "exec", "airflow-mysql-0", "--", "sh", "-c"]
    session = subprocess.Popen(
        [*command, script, "sh", f"SELECT CONNECTION_ID(); {statements}; SELECT SLEEP(999)"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert session.stdout is not None
    identity = session.stdout.readline().strip()
    try:
        if not blocked:
            wait_for("the session", lambda: int(root(airflow, count)) > before)
        yield
    finally:
        root(airflow, f"KILL {identity}")
        session.wait(60)


@contextmanager
def begun(airflow: Deployment, goal: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A command in the background; killed at the end, if it has not ended by then."""
    process = airflow.begin(goal, *options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def jobs_at_work(airflow: Deployment, purpose: str) -> list[str]:
    """The names of Jobs of `make backup` or `make restore` with a running pod."""
    items = json.loads(airflow.kubectl("get", "jobs", "-o", "json"))["items"]
    return [
        item["metadata"]["name"]
        for item in items
        if f"backup-{purpose}" in item["metadata"]["name"] and item["status"].get("ready")
    ]


def pod_of(airflow: Deployment, job: str) -> str:
    """The running pod of a Job; empty if there is none."""
    selector = (f"--selector=job-name={job}", "--field-selector=status.phase=Running")
    items = json.loads(airflow.kubectl("get", "pods", *selector, "-o", "json"))["items"]
    return next(
        (p["metadata"]["name"] for p in items if "deletionTimestamp" not in p["metadata"]), ""
    )


@pytest.mark.parametrize("zone", ["-05:00", "+01:00", "Test/Zone"])
def test_heartbeats_have_their_age_in_any_time_zone_of_the_server(
    airflow: Deployment, zone: str
) -> None:
    if zone == "Test/Zone":
        root(airflow, ZONE)
    root(airflow, f"SET GLOBAL time_zone = '{zone}'")
    try:
        for component, kind in (
            ("triggerer", "TriggererJob"),
            ("dag-processor", "DagProcessorJob"),
        ):
            command = ("python", "/opt/checks/heartbeat.py", kind)
            age = int(in_pod(airflow, component, *command).split()[-3])
            assert 0 <= age < 60
        assert "SchedulerJob on " in in_pod(airflow, "triggerer", "python", "-c", LIVE)
        assert in_pod(airflow, "triggerer", "python", "-c", ASYNC).strip() == "+00:00"
    finally:
        root(airflow, "SET GLOBAL time_zone = 'SYSTEM'")


def test_the_newest_backup_stays_whatever_clocks_and_timeouts_are(
    airflow: Deployment,
) -> None:
    with short_timeouts(airflow):
        first = airflow.make("backup").split()[-1]
    later = [f"20{year}0101T000000Z-manual" for year in (97, 98, 99)]
    on_the_volume(airflow, " ".join(f"cp -r {first} {name};" for name in later))
    output = airflow.make("backup")
    newest = output.split()[-1]
    assert f"warning: the backup {later[-1]} is of a later time than now" in output
    assert "free on the volume of the backups: " in output
    assert {first, *later[:2]} == {name for name in (first, *later) if f"deleted {name}" in output}
    listed = airflow.make("backups")
    assert names(listed, "manual") == [later[-1], newest]
    assert "free on the volume: " in listed

    refused = airflow.make("backups", f"DELETE={later[-1]} {first}", ok=False)
    assert f"there is no backup {first}" in refused
    assert f"deleted {later[-1]}" in airflow.make("backups", f"DELETE={later[-1]}")
    assert names(airflow.make("backups"), "manual") == [newest]


def test_a_backup_begins_anew_when_a_table_is_dropped_meanwhile(airflow: Deployment) -> None:
    """As `airflow db clean` does."""
    sql(airflow, "CREATE TABLE zz (id INT)")
    drop = "LOCK TABLES zz WRITE; SELECT GET_LOCK('go', 600); DROP TABLE zz; UNLOCK TABLES"
    waits = "SELECT state FROM information_schema.processlist WHERE state LIKE 'Waiting for table%'"
    with ExitStack() as sessions:
        before_it = sessions.enter_context(ExitStack())
        before_it.enter_context(held(airflow, "SELECT GET_LOCK('go', 60)"))
        sessions.enter_context(held(airflow, drop, blocked=True))
        backup = sessions.enter_context(begun(airflow, "backup"))
        wait_for("the dump", lambda: root(airflow, waits), PATIENCE)
        before_it.close()  # now the table is dropped
        output, _ = backup.communicate(timeout=PATIENCE)
    print(output)
    assert backup.returncode == 0
    assert "a table was changed meanwhile; once more" in output


def test_status_says_what_the_schedule_has_done(airflow: Deployment) -> None:
    airflow.kubectl("create", "job", "--from=cronjob/airflow-backup", "nightly")
    airflow.kubectl("wait", "job/nightly", "--for=condition=Complete", "--timeout=120s")
    output = airflow.make("status")
    (line,) = [line for line in output.splitlines() if line.startswith("  backup ")]
    assert "Z-scheduled, 0 min ago; " in line
    assert line.endswith(" free on the volume")


def test_other_commands_are_refused_while_one_runs_or_its_job_does(airflow: Deployment) -> None:
    with (
        held(airflow, "SELECT GET_LOCK('airflow_MIGRATIONS', 60)"),  # a backup waits for it
        begun(airflow, "backup") as first,
    ):
        (job,) = wait_for("the Job", lambda: jobs_at_work(airflow, "manual"), PATIENCE)
        for command in COMMANDS:
            output = airflow.call(*airflow.command(*command), ok=False)
            assert f"make {command[0]} has to wait for make backup on " in output
            assert f"process {first.pid}" in output
        # Nobody has to remove what a killed command leaves behind, and its Job counts by itself.
        first.kill()

        def refused_by_the_job() -> bool:
            output = airflow.call(*airflow.command("down"), ok=False)
            return f"a backup (manual) is being taken by Job {job}" in output

        wait_for("a refusal by the Job", refused_by_the_job)
        assert airflow.pods("mysql")
    airflow.kubectl("wait", f"job/{job}", "--for=condition=Complete", f"--timeout={PATIENCE}s")
    assert "has to wait" not in airflow.make("backup")
    assert not airflow.kubectl("get", "leases", "-o", "name")


def test_a_restore_marks_first_and_an_evicted_one_keeps_its_backup(airflow: Deployment) -> None:
    (source, *_) = names(airflow.make("backups"), "manual")
    stopped = on(airflow, stopped="true")
    stopped.up()
    sql(airflow, "CREATE TABLE made_since (id INT)")
    marked, row = "SHOW TABLES LIKE 'restore_incomplete'", "SELECT * FROM restore_incomplete"
    with ExitStack() as sessions:
        sessions.enter_context(short_timeouts(airflow))
        dump_waits = sessions.enter_context(ExitStack())
        dump_waits.enter_context(held(airflow, "LOCK TABLES dag_run WRITE"))
        restore = sessions.enter_context(begun(stopped, "restore", f"--from={source}"))
        wait_for("the mark", lambda: sql(airflow, marked), PATIENCE)
        assert sql(airflow, row) == ""
        (job,) = jobs_at_work(airflow, "restore")
        for command in COMMANDS:
            output = airflow.call(*airflow.command(*command), ok=False)
            assert "has to wait for make restore on " in output
        # As `pulumi up` would do, which looks at no Lease.
        airflow.kubectl("scale", "deployment", "airflow-triggerer", "--replicas=1")
        wait_for("the triggerer to wait", lambda: waits_for_a_restore(airflow), PATIENCE)

        drop_waits = sessions.enter_context(ExitStack())
        reading = "BEGIN; SELECT 1 FROM dag_run LIMIT 1"
        drop_waits.enter_context(held(airflow, reading, blocked=True))
        dump_waits.close()
        saved = wait_for("the backup", lambda: sql(airflow, row), PATIENCE)
        assert saved.endswith("-before-restore")
        old = pod_of(airflow, job)
        evict(airflow, old)
        new = wait_for("another pod", lambda: {pod_of(airflow, job)} - {"", old}, PATIENCE).pop()
        said = f"What it held before is the backup {saved}"
        wait_for("its log", lambda: said in airflow.kubectl("logs", new), PATIENCE)
        drop_waits.close()
        output, _ = restore.communicate(timeout=2 * PATIENCE)
    print(output)
    assert restore.returncode == 0
    assert f"restored {source}" in output
    assert output.count("before-restore: complete") <= 1
    assert names(airflow.make("backups"), "before-restore")[-1] == saved
    assert sql(airflow, "SHOW TABLES LIKE 'made_since'") == ""
    assert sql(airflow, marked) == ""
    airflow.up()


def waits_for_a_restore(airflow: Deployment) -> bool:
    """Whether the triggerer's pod says so."""
    log = ("logs", "deploy/airflow-triggerer", "--container=wait-for-migrations")
    try:
        return "the end of a restore" in airflow.kubectl(*log)
    except subprocess.CalledProcessError:
        return False  # it has not started


def evict(airflow: Deployment, pod: str) -> None:
    """What `kubectl drain` does with a pod."""
    metadata = {"name": pod, "namespace": airflow.namespace}
    body: dict[str, Any] = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": metadata,
        "deleteOptions": {"gracePeriodSeconds": 1},
    }
    path = f"/api/v1/namespaces/{airflow.namespace}/pods/{pod}/eviction"
    subprocess.run(
        ["kubectl", "create", "--raw", path, "--filename=-"],
        input=json.dumps(body),
        text=True,
        check=True,
    )
