"""One command at a time on an environment: the Lease and the Jobs that refuse the others."""

import json
from datetime import UTC, datetime, timedelta
from signal import SIGTERM
from threading import Event
from types import SimpleNamespace
from typing import Any, cast

import pytest
from airflow_kubernetes.airflow.releases import CURRENT
from airflow_kubernetes.cli import exclusive as module
from airflow_kubernetes.cli.exclusive import LEASE, exclusive
from airflow_kubernetes.cli.main import COMMANDS, EXCLUSIVE
from airflow_kubernetes.cli.target import Target
from airflow_kubernetes.database.backup import (
    backup_job,
    check_job,
    delete_job,
    is_at_work,
    list_job,
    restore_job,
)
from airflow_kubernetes.environment import load
from airflow_kubernetes.errors import CommandError
from airflow_kubernetes.kubectl.client import KubectlError

NAME = "20260101T000000Z-manual"


class Cluster:
    """A kubectl that keeps one Lease, in a namespace with some Jobs."""

    context, namespace = "here", "airflow"

    def __init__(self, *jobs: dict[str, Any], exists: bool = True) -> None:
        self.jobs, self.exists, self.lease = list(jobs), exists, dict[str, Any]()
        self.renewals = 0

    def get(self, kind: str, *_: str) -> list[dict[str, Any]]:
        if kind == "namespace":
            return [{"metadata": {}}] if self.exists else []
        found = {"jobs": self.jobs, "lease": [{"spec": dict(self.lease)}] if self.lease else []}
        return found[kind]

    def run(self, verb: str, *args: str, objects: Any = None) -> str:
        if verb == "create":
            if self.lease:
                raise KubectlError("AlreadyExists")
            self.lease = dict(objects[0]["spec"])
        elif verb == "patch":
            (patch,) = (json.loads(arg[8:]) for arg in args if arg.startswith("--patch="))
            tests = {op["path"][6:]: op["value"] for op in patch if op["op"] == "test"}
            if not tests.items() <= self.lease.items():
                raise KubectlError("the server rejected our request")
            self.lease |= {op["path"][6:]: op["value"] for op in patch if op["op"] == "replace"}
            self.renewals += 1
        else:
            assert (verb, args[:2]) == ("delete", ("lease", LEASE))
            self.lease = {}
        return ""

    def target(self) -> Target:
        settings = SimpleNamespace(namespace="airflow")
        return cast(Target, SimpleNamespace(kubectl=self, settings=settings, environment="dev"))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Lease that is renewed and expires within parts of a second."""
    monkeypatch.setattr(module, "DURATION", 0.4)
    monkeypatch.setattr(module, "RENEWAL", 0.05)
    monkeypatch.setattr("time.sleep", lambda _: None)


def test_a_second_command_is_refused_until_the_first_has_ended() -> None:
    cluster = Cluster()
    with exclusive(cluster.target(), "upgrade"):
        holder = cluster.lease["holderIdentity"]
        assert holder.startswith("make upgrade on ")
        for command in EXCLUSIVE:
            with (
                pytest.raises(CommandError, match="nothing was changed") as refusal,
                exclusive(cluster.target(), command),
            ):
                pytest.fail("it was not refused")
            assert f"make {command} has to wait for {holder}" in str(refusal.value)
            assert f"delete lease {LEASE}" in str(refusal.value)
    assert cluster.lease == {}
    with exclusive(cluster.target(), "up"):
        pass


def test_it_is_renewed_while_its_command_runs() -> None:
    cluster = Cluster()
    with exclusive(cluster.target(), "up"):
        first = cluster.lease["renewTime"]
        while cluster.renewals < 2:
            pass
        assert cluster.lease["renewTime"] > first


@pytest.mark.parametrize(
    ("successor", "said"), [("make up on y, process 2", "is that of make up on y"), ("", "is gone")]
)
def test_a_command_that_has_lost_it_ends(
    successor: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cluster, ended = Cluster(), Event()
    monkeypatch.setattr("os.kill", lambda _, number: ended.set() if number == SIGTERM else None)
    with exclusive(cluster.target(), "up"):
        cluster.lease = {**cluster.lease, "holderIdentity": successor} if successor else {}
        assert ended.wait(10)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("age", [60.0, -3600.0])
def test_that_of_a_killed_command_is_taken_over(age: float) -> None:
    """Whatever the clock of its machine said."""
    cluster = Cluster()
    time = (datetime.now(UTC) - timedelta(seconds=age)).isoformat()
    old = {"holderIdentity": "make up on x, process 1", "acquireTime": time, "renewTime": time}
    cluster.lease = {**old, "leaseDurationSeconds": 20}
    with exclusive(cluster.target(), "down"):
        assert cluster.lease["holderIdentity"].startswith("make down on ")
    assert cluster.lease == {}


def test_it_is_kept_by_a_failure_of_nobody() -> None:
    cluster = Cluster()
    with pytest.raises(KeyboardInterrupt), exclusive(cluster.target(), "up"):
        raise KeyboardInterrupt
    assert cluster.lease == {}


def test_without_a_namespace_nothing_is_protected() -> None:
    cluster = Cluster(exists=False)
    with exclusive(cluster.target(), "up"):
        assert cluster.lease == {}


def job(made: dict[str, Any], **status: Any) -> dict[str, Any]:
    made["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    return {**made, "status": status}


def ended(kind: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": "True"}]}


def test_a_job_that_works_on_the_database_refuses_every_command() -> None:
    """It goes on when the command that created it was killed."""
    settings = load("dev")
    backup = backup_job(settings, "b", "manual", CURRENT)
    restore = restore_job(settings, "r", NAME, "airflow", CURRENT)
    cases = [
        (job(backup, ready=1), r"a backup \(manual\) is being taken by Job b, since 2026"),
        (job(restore), rf"the backup {NAME} is being restored into the database airflow by Job r"),
        (job(restore, ready=1), "logs -f job/r"),
        (job(backup), None),  # its pod cannot start, perhaps until the next `up`
        (job(backup, **ended("Failed")), None),
        (job(restore, **ended("Complete")), None),
        (job(list_job(settings, "l"), ready=1), None),
        (job(check_job(settings, "c"), ready=1), None),
        (job(delete_job(settings, "d", [NAME]), ready=1), None),
    ]
    for found, message in cases:
        assert is_at_work(found) == (message is not None), found
        cluster = Cluster(found)
        if message is None:
            with exclusive(cluster.target(), "up"):
                continue
        with (
            pytest.raises(CommandError, match=message),
            exclusive(cluster.target(), "up"),
        ):
            pytest.fail("it was not refused")
        assert cluster.lease == {}


def test_the_commands_that_change_what_runs_exclude_each_other() -> None:
    changing = {"up", "dags", "down", "upgrade", "adopt", "backup", "restore"}
    assert set(EXCLUSIVE) == changing <= set(COMMANDS)
