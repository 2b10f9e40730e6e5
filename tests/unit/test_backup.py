"""Backups: their Jobs, their names, and counting a dump's rows."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS
from airflow_kubernetes.cli.backup import COMPLETE, job_name
from airflow_kubernetes.cli.restore import BACKUP, RESTORED
from airflow_kubernetes.database.backup import KINDS, SCRIPTS, backup_job, list_job, restore_job
from airflow_kubernetes.environment import load

EXTERNAL = (
    "database.mode=external database.external.host=db.example.com database.external.port=3307 "
    "database.external.secret=my-database"
)


@pytest.mark.parametrize(
    ("overrides", "host", "port", "secret"),
    [
        ("", "airflow-mysql", "3306", "airflow-mysql"),
        (EXTERNAL, "db.example.com", "3307", "my-database"),
    ],
)
def test_a_job_reaches_the_database_with_the_same_image(
    overrides: str, host: str, port: str, secret: str
) -> None:
    job = restore_job(load("dev", overrides), "one", "20260101T000000Z-manual", "airflow", CURRENT)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    env = {item["name"]: item.get("value", item.get("valueFrom")) for item in container["env"]}
    assert (env["DATABASE_HOST"], env["DATABASE_PORT"]) == (host, port)
    assert env["DATABASE_NAME"] == "airflow"
    assert env["DATABASE_PASSWORD"]["secretKeyRef"] == {"name": secret, "key": "password"}
    assert env["RELEASE"] == CURRENT
    assert container["image"] == load("dev").database.cluster.image
    assert container["args"][1:] == ["/scripts/restore.sh", "20260101T000000Z-manual", "airflow"]


def test_one_off_jobs_go_by_themselves_and_do_not_run_twice() -> None:
    for job in (backup_job(load("dev"), "a", "release", CURRENT), list_job(load("dev"), "b")):
        assert job["spec"]["ttlSecondsAfterFinished"] > 0
        assert job["spec"]["backoffLimit"] == 0
        assert job["metadata"]["labels"]["app.kubernetes.io/component"] == "backup"


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_understood(kind: str) -> None:
    name = f"20261122T150000Z-{kind}"
    assert BACKUP.fullmatch(name)
    found = COMPLETE.search(f"something\nbackup {name}: complete after 3 s, 71 tables\n")
    assert found is not None
    assert found[1] == name
    assert len(job_name(kind)) <= 63


def test_an_ended_restore_is_understood() -> None:
    found = RESTORED.search(f"x\nrestored a-manual of Airflow {PREVIOUS} into airflow: 71 tables\n")
    assert found is not None
    assert found[1] == PREVIOUS


DUMP = r"""-- MySQL dump
CREATE TABLE `alembic_version` (
  `version_num` varchar(32) NOT NULL
);
INSERT INTO `alembic_version` VALUES ('abc123');
CREATE TABLE `empty` (
  `id` int
);
CREATE TABLE `two` (
  `text` longtext
);
INSERT INTO `two` (`text`) VALUES ('\nINSERT INTO `empty` VALUES (1);\n');
INSERT INTO `two` (`text`) VALUES ('DELIMITER ;;');
DELIMITER ;;
CREATE TRIGGER t AFTER INSERT ON two FOR EACH ROW
INSERT INTO `empty` VALUES (1) ;;
DELIMITER ;
-- Dump completed on 2026-11-22
"""


@pytest.fixture(params=["mawk", "gawk", "busybox"])
def awk(request: pytest.FixtureRequest) -> list[str]:
    """An awk program of this machine; the official image has gawk, the stand-in mawk."""
    if shutil.which(request.param) is None:
        pytest.skip(f"no {request.param} here")
    return ["busybox", "awk"] if request.param == "busybox" else [request.param]


def filtered(command: list[str], script: str, dump: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, "-f", str(SCRIPTS / script)],
        input=dump, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip


def test_rows_are_joined_into_fewer_statements(awk: list[str]) -> None:
    done = filtered(awk, "join.awk", DUMP)
    assert done.returncode == 0, done.stderr
    joined = DUMP.replace("');\nINSERT INTO `two` (`text`) VALUES ('DELIM", "'),('DELIM")
    assert done.stdout == joined != DUMP


def test_a_joined_statement_stays_small(awk: list[str]) -> None:
    row = "INSERT INTO `two` VALUES ('" + "x" * 100_000 + "');\n"
    done = filtered(awk, "join.awk", row * 5 + "-- Dump completed\n")
    lines = done.stdout.splitlines()
    assert [line.count("),(") + 1 for line in lines[:-1]] == [2, 2, 1]
    assert all(line.endswith("');") for line in lines[:-1])


def test_rows_are_counted_in_the_dump(awk: list[str], tmp_path: Path) -> None:
    def count(dump: str) -> subprocess.CompletedProcess[str]:
        command = [*awk, "-v", f"counts={tmp_path}/counts", "-v", f"heads={tmp_path}/heads"]
        return filtered(command, "rows.awk", dump)

    done = count(DUMP)
    assert done.returncode == 0, done.stderr
    assert done.stdout == DUMP
    counted = sorted((tmp_path / "counts").read_text().splitlines())
    assert counted == ["alembic_version\t1", "empty\t0", "two\t2"]
    assert (tmp_path / "heads").read_text() == "alembic_version\tabc123\n"
    cut = count(DUMP.rpartition("-- Dump")[0])
    assert cut.returncode == 1
    assert "cut short" in cut.stderr
