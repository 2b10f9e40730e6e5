"""Backup and restore of a real Airflow's database: what is lost comes back, nothing else is lost.

The tests build on each other in this order.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from airflow_kubernetes.cli.backup import job_name
from airflow_kubernetes.cli.rest import Rest
from airflow_kubernetes.cli.status import password
from airflow_kubernetes.cli.up import up
from airflow_kubernetes.database.backup import backup_job

from ..conftest import Deployment, wait_for
from ..scenarios import start

pytestmark = pytest.mark.cluster

NAME = r"\d{8}T\d{6}Z-"
AWKWARD = (
    # Lines that look like statements, in a body and in a text; bytes; an empty table; a function.
    "CREATE TABLE awkward (id INT PRIMARY KEY, text_ LONGTEXT, bytes_ BLOB);",
    "CREATE TABLE nothing_in_it (id INT PRIMARY KEY);",
    "INSERT INTO awkward VALUES",
    "(1, 'a\\nINSERT INTO `awkward` VALUES (7);\\nDELIMITER ;;\\n', 'x'),",
    "(2, CONCAT('`', CHAR(39), CHAR(92), CHAR(0), CHAR(13)), UNHEX('00FF0A0D27')),",
    "(3, REPEAT('long ', 400000), NULL);",
    "CREATE TRIGGER copied AFTER INSERT ON awkward FOR EACH ROW",
    "\nINSERT INTO `nothing_in_it` VALUES (NEW.id);",
    "CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN 2 * x;",
)


@pytest.fixture(scope="module")
def airflow(airflow: Deployment) -> Deployment:
    """The Airflow of all modules, with awkward data added; keeps two backups of a kind."""
    deployment = Deployment(airflow.namespace, f"{airflow.overrides} database.backup.keep=2")
    deployment.up()
    sql(deployment, " ".join(AWKWARD))
    return deployment


def sql(airflow: Deployment, statements: str, database: str = "airflow") -> str:
    """What MySQL answers to Airflow's own user."""
    script = 'MYSQL_PWD="$MYSQL_PASSWORD" mysql -u"$MYSQL_USER" -h127.0.0.1 -N -e "$1" "$2"'
    return airflow.kubectl(
        "exec", "airflow-mysql-0", "--", "sh", "-c", script, "sh", statements, database
    ).strip()


def checksums(airflow: Deployment, database: str) -> dict[str, str]:
    """MySQL's own checksum of the content of each table."""
    tables = sql(airflow, f"SHOW TABLES IN {database}").split()
    listed = ", ".join(f"{database}.{table}" for table in tables)
    rows = [line.split() for line in sql(airflow, f"CHECKSUM TABLE {listed}").splitlines()]
    return {name.partition(".")[2]: value for name, value in rows}


def job(airflow: Deployment, change: Callable[[dict[str, Any]], None]) -> tuple[str, bool]:
    """Log and success of a Job like a backup's, its pod spec changed."""
    here = airflow.target()
    obj = backup_job(here.settings, job_name("test"), "manual", "0")
    change(obj["spec"]["template"]["spec"])
    name = f"job/{obj['metadata']['name']}"
    here.kubectl.run("create", "--filename=-", objects=[obj])

    def ended() -> str:
        status = json.loads(airflow.kubectl("get", name, "-o", "json")).get("status", {})
        kinds = [one["type"] for one in status.get("conditions", []) if one["status"] == "True"]
        return next((kind for kind in kinds if kind in ("Complete", "Failed")), "")

    success = wait_for(f"the end of {name}", ended) == "Complete"
    return airflow.kubectl("logs", name), success


def on_the_volume(airflow: Deployment, script: str) -> str:
    """What a shell script prints that runs in a pod with the volume of the backups."""

    def change(spec: dict[str, Any]) -> None:
        spec["containers"][0]["args"] = ["bash", "-ec", f"cd /backups; {script}"]

    output, success = job(airflow, change)
    assert success, output
    return output


def restore(airflow: Deployment, name: str, into: str = "", *, ok: bool = True) -> str:
    """`make restore FROM=name INTO=into`; everything that it prints."""
    return airflow.make("restore", f"FROM={name}", f"INTO={into}", ok=ok)


def names(output: str, kind: str) -> list[str]:
    """The names of all backups of a kind in a command's output, each once, in order."""
    return list(dict.fromkeys(re.findall(rf"{NAME}{kind}\b(?!\.)", output)))


@pytest.fixture(scope="module")
def taken(airflow: Deployment) -> str:
    """A backup that was taken while a run wrote into the database."""
    start(airflow, "smoke", "meanwhile")
    wait_for("a task pod", lambda: airflow.pods("task"))
    output = airflow.make("backup")
    wait_for("the run's end", lambda: airflow.runs()["meanwhile"] == "success")
    name = output.split()[-1]
    assert re.fullmatch(rf"{NAME}manual", name)
    return name


def test_a_backup_says_what_it_holds(airflow: Deployment, taken: str) -> None:
    line = next(row for row in airflow.make("backups").splitlines() if row.startswith(taken))
    _, kind, release, tables, rows, *_ = line.split()
    assert (kind, release) == ("manual", "3.3.2")
    assert int(tables) > 60
    assert int(rows) > 300
    files = on_the_volume(
        airflow, f"cd {taken}; ls; sha256sum dump.sql.gz; cat manifest counts.tsv"
    )
    assert files.split()[:3] == ["counts.tsv", "dump.sql.gz", "manifest"]
    sha256 = re.search(r"(\S{64})  dump.sql.gz", files)
    assert sha256 is not None
    assert f"sha256\t{sha256[1]}" in files
    assert "\nawkward\t3\n" in files
    assert "\nnothing_in_it\t0\n" in files
    assert re.search(r"^alembic_version\t[0-9a-f]{12}$", files, re.MULTILINE)
    assert re.search(r"^alembic_version_fab\t[0-9a-f]{12}$", files, re.MULTILINE)


def test_no_password_is_in_the_volume_or_in_a_job(airflow: Deployment, taken: str) -> None:
    secret = airflow.kubectl(
        "get", "secret", "airflow-mysql", "-o", "go-template={{.data.password | base64decode}}"
    )
    assert secret not in airflow.kubectl("get", "jobs,pods,configmaps", "-o", "json")
    assert secret not in on_the_volume(airflow, f"cat {taken}/manifest; zcat {taken}/dump.sql.gz")


def test_it_is_restored_beside_the_running_airflow(airflow: Deployment, taken: str) -> None:
    output = restore(airflow, taken, "copy_of_it")
    assert f"restored {taken} of Airflow 3.3.2 into copy_of_it" in output
    assert sql(airflow, "SELECT twice(21)", "copy_of_it") == "42"
    assert sql(airflow, "SHOW TRIGGERS", "copy_of_it").startswith("copied")
    copy, origin = checksums(airflow, "copy_of_it"), checksums(airflow, "airflow")
    assert set(copy) == set(origin)
    for table in ("awkward", "nothing_in_it", "ab_permission", "alembic_version", "slot_pool"):
        assert copy[table] == origin[table]
    again = restore(airflow, taken, "copy_of_it", ok=False)
    assert "copy_of_it is not empty" in again


@pytest.mark.long
def test_a_running_airflow_is_not_restored_over(airflow: Deployment, taken: str) -> None:
    output = restore(airflow, taken, ok=False)
    assert "airflow.stopped: true" in output
    assert names(airflow.make("backups"), "before-restore") == []


@pytest.mark.long
def test_a_dump_that_fails_leaves_nothing(airflow: Deployment, taken: str) -> None:
    def wrong_password(spec: dict[str, Any]) -> None:
        env = spec["containers"][0]["env"]
        env[:] = [item for item in env if item["name"] != "DATABASE_PASSWORD"]
        env.append({"name": "DATABASE_PASSWORD", "value": "wrong"})

    def full_volume(spec: dict[str, Any]) -> None:
        volume = {"name": "backups", "emptyDir": {"medium": "Memory", "sizeLimit": "8Ki"}}
        spec["volumes"][0] = volume
        script = "bash /scripts/backup.sh manual; code=$?; ls -A /backups; exit $code"
        spec["containers"][0]["args"] = ["bash", "-c", script]

    before = on_the_volume(airflow, "ls -A")
    output, success = job(airflow, wrong_password)
    assert not success
    assert "Access denied" in output
    output, success = job(airflow, full_volume)
    assert not success
    assert "No space left on device" in output
    assert output.rstrip().endswith("Free on the volume: 0")  # and ls shows nothing
    assert on_the_volume(airflow, "ls -A") == before


@pytest.mark.long
def test_an_external_secrets_percent_encoding_is_read(airflow: Deployment) -> None:
    statements = "CREATE USER 'b/c' IDENTIFIED BY 'p@ss/w%rd+'"
    script = f'MYSQL_PWD="$MYSQL_ROOT_PASSWORD" mysql -uroot -e "{statements}"'
    airflow.kubectl("exec", "airflow-mysql-0", "--", "sh", "-c", script)

    def as_them(spec: dict[str, Any]) -> None:
        login = {"DATABASE_USER": "b%2Fc", "DATABASE_PASSWORD": "p%40ss%2Fw%25rd+"}
        env = spec["containers"][0]["env"]
        env[:] = [item for item in env if item["name"] not in login]
        env += [{"name": name, "value": value} for name, value in login.items()]
        query = ". /scripts/database.sh; sql information_schema --execute='SELECT USER()'"
        spec["containers"][0]["args"] = ["bash", "-ec", query]

    output, success = job(airflow, as_them)
    assert success, output
    assert output.startswith("b/c@")


@pytest.mark.long
def test_a_backup_waits_for_a_migration(airflow: Deployment, taken: str) -> None:
    def impatient(spec: dict[str, Any]) -> None:
        spec["containers"][0]["env"].append({"name": "LOCK_TIMEOUT", "value": "1"})
        # The lock of a migration, held by another session while the backup waits for it.
        spec["containers"][0]["args"] = ["bash", "-c", HOLD_THE_LOCK]

    output, success = job(airflow, impatient)
    assert not success
    assert "the lock airflow_MIGRATIONS was not free" in output


HOLD_THE_LOCK = """
MYSQL_PWD="$DATABASE_PASSWORD" mysql -h"$DATABASE_HOST" -u"$DATABASE_USER" \
    -e "SELECT GET_LOCK('airflow_MIGRATIONS', 0); SELECT SLEEP(5)" &
sleep 1; bash /scripts/backup.sh manual
"""


@pytest.mark.long
def test_the_newest_of_a_kind_stay(airflow: Deployment, taken: str) -> None:
    for number in range(3):
        airflow.kubectl("create", "job", "--from=cronjob/airflow-backup", f"nightly-{number}")
        done = ("wait", f"job/nightly-{number}", "--for=condition=Complete", "--timeout=60s")
        airflow.kubectl(*done)
    logs = airflow.kubectl("logs", "job/nightly-2")
    (deleted,) = re.findall(rf"deleted ({NAME}scheduled)", logs)
    there = airflow.make("backups")
    assert len(names(there, "scheduled")) == 2
    assert deleted not in there
    assert taken in there


@pytest.mark.long
def test_a_damaged_backup_is_refused_before_anything_is_touched(
    airflow: Deployment, taken: str
) -> None:
    damage = "printf x >> {0}/dump.sql.gz", "sed -i 's/^awkward.*/awkward\\t4/' {0}/counts.tsv"
    for number, (script, reason) in enumerate(zip(damage, ("sha256", "counts.tsv"), strict=True)):
        name = f"2020010{number + 1}T000000Z-manual"
        on_the_volume(airflow, f"cp -r {taken} {name}; {script.format(name)}")
        output = restore(airflow, name, "other", ok=False)
        assert f"{name} is damaged" in output
        assert reason in output
        assert "the database other was not touched" in output
        on_the_volume(airflow, f"rm -r {name}")


def test_a_restore_that_fails_names_the_way_back(airflow: Deployment, taken: str) -> None:
    up(Deployment(airflow.namespace, f"{airflow.overrides} airflow.stopped=true").target())
    sql(airflow, "DELETE FROM dag_run; DELETE FROM ab_user_role; DELETE FROM ab_user")
    sql(airflow, "CREATE TABLE made_since (id INT); DROP TABLE awkward")
    # Sound by every sum, but MySQL refuses a statement at its end.
    name = "20200103T000000Z-manual"
    on_the_volume(
        airflow,
        f"cp -r {taken} {name}; cd {name}; zcat dump.sql.gz"
        " | sed 's/^-- Dump completed/NO SQL;\\n&/' | gzip > new; mv new dump.sql.gz;"
        " sum=$(sha256sum < dump.sql.gz | cut -c 1-64);"
        ' sed -i "s/^sha256.*/sha256\\t$sum/" manifest',
    )
    output = restore(airflow, name, ok=False)
    (saved,) = names(output, "before-restore")
    assert f"airflow is incomplete. What it held before is the backup {saved}" in output
    on_the_volume(airflow, f"rm -r {name}")
    back = restore(airflow, saved)
    assert f"restored {saved}" in back
    assert "made_since" in sql(airflow, "SHOW TABLES")
    assert sql(airflow, "SELECT COUNT(*) FROM ab_user") == "0"


def test_what_was_deleted_by_hand_comes_back(airflow: Deployment, taken: str) -> None:
    airflow.kubectl("create", "configmap", "airflow-release-change")  # one that failed
    output = restore(airflow, taken)
    assert not airflow.kubectl("get", "configmap", "airflow-release-change", "--ignore-not-found")
    assert "as in the backup" in output
    assert "next: remove airflow.stopped" in output
    assert "made_since" not in sql(airflow, "SHOW TABLES")
    # What was half loaded in between was not worth one.
    assert len(names(airflow.make("backups"), "before-restore")) == 2
    up(airflow.target())
    assert len(password(airflow.target())) == 32
    Rest(airflow.target())  # a login with it
    runs = airflow.runs()
    assert "meanwhile" in runs
    # The run was in the middle when the backup was taken; Airflow goes on with it.
    wait_for("the run's end", lambda: airflow.runs()["meanwhile"] == "success")


def test_down_keeps_the_backups(airflow: Deployment, taken: str) -> None:
    output = airflow.make("down")
    assert "PersistentVolumeClaim airflow-backups" in output
    assert not airflow.kubectl("get", "cronjobs,jobs", "-o", "name")
    assert "run make up" in restore(airflow, taken, ok=False)
