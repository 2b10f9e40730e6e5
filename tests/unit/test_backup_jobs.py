"""The Jobs of backups: what is said of the last one, and of one that cannot start."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from airflow_kubernetes.airflow.releases import CURRENT
from airflow_kubernetes.cli import jobs as module
from airflow_kubernetes.cli.backup import age, backups, last_scheduled
from airflow_kubernetes.cli.jobs import run_job
from airflow_kubernetes.cli.target import Target
from airflow_kubernetes.database.backup import DEADLINE, backup_job, restore_job
from airflow_kubernetes.environment import load
from airflow_kubernetes.errors import CommandError
from airflow_kubernetes.kubectl.client import KubectlError
from airflow_kubernetes.kubectl.wait import RolloutError

NAME = "20260101T000000Z-scheduled"


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).strftime("%Y-%m-%dT%H:%M:%SZ")


def cluster(found: dict[str, list[Any]], run: Callable[..., str]) -> Target:
    kubectl = SimpleNamespace(get=lambda kind, *_: found.get(kind, []), run=run, context="here")
    return cast(Target, SimpleNamespace(kubectl=kubectl, settings=load("dev"), environment="dev"))


def test_ages_are_in_the_largest_unit_that_says_enough() -> None:
    cases = {
        ago(seconds=10): "0 min",
        ago(minutes=89): "89 min",
        ago(hours=5): "5 h",
        ago(days=9): "9 days",
        ago(hours=-3): "0 min",  # by the clock of another machine
    }
    assert {time: age(time) for time in cases} == cases


def test_status_says_what_the_schedule_did_last() -> None:
    def job(kind: str, hours: int, *, owned: bool = True, **status: Any) -> dict[str, Any]:
        conditions = [{"type": kind, "status": "True"}]
        metadata = {"name": f"backup-{hours}", "creationTimestamp": ago(hours=hours)}
        owner: dict[str, Any] = {"ownerReferences": [{}]} if owned else {}
        return {"metadata": {**metadata, **owner}, "status": {"conditions": conditions, **status}}

    logs = {
        "job/backup-5": f"backup {NAME}: complete after 3 s\n"
        "free on the volume of the backups: 3GiB of 20GiB\nschema: a=b",
        "job/backup-4": "dumping\nerror: No space left on device",
    }

    def log(_: str, name: str, *__: str) -> str:
        if name not in logs:
            raise KubectlError("not found")
        return logs[name]

    good, old = job("Complete", 5, succeeded=1), job("Complete", 30, succeeded=1)
    bad = job("Failed", 4)
    cases = [
        ([], "none by schedule yet"),
        ([job("Complete", 1, owned=False, succeeded=1)], "none by schedule yet"),
        ([good, old], f"{NAME}, 5 h ago; 3GiB of 20GiB free on the volume"),
        ([good, bad], "the last scheduled one failed 4 h ago: error: No space left on device"),
        ([old], "job/backup-30, 30 h ago"),
        ([job("Failed", 3)], "the last scheduled one failed 3 h ago: see job/backup-3"),
    ]
    for jobs, said in cases:
        assert last_scheduled(cluster({"jobs": jobs}, log)) == said


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("x", "'x' is not the name of a backup"),
        (f"{NAME} ../{NAME}", "is not the name of a backup"),
        ("20260101T000000Z-release", "before a release change that has not ended"),
    ],
)
def test_what_cannot_be_deleted_is_refused_at_once(names: str, message: str) -> None:
    change = {"data": {"from": "2.11.2", "backup": "20260101T000000Z-release"}}

    def nothing(*_: str) -> str:
        raise AssertionError

    with pytest.raises(CommandError, match=f"{message}.*nothing was deleted"):
        backups(cluster({"configmap": [change]}, nothing), delete=names)


@pytest.mark.parametrize("seconds", [module.LOOK + 1, module.START + 1])
def test_a_job_that_cannot_start_is_given_up_with_the_reason(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pod that may not be made is reported at once, one that does not start after a while."""
    clock = SimpleNamespace(seconds=seconds, say=lambda _: None)
    monkeypatch.setattr(module, "Stopwatch", lambda: clock)
    monkeypatch.setattr(module, "wait", lambda _, __, ___, meanwhile: meanwhile())
    job = restore_job(load("dev"), "airflow-backup-x", NAME, "airflow", CURRENT)
    refused = seconds < module.START
    deleted: list[str] = []

    def run(verb: str, *args: str, **_: Any) -> str:
        if verb == "logs":
            raise KubectlError("no container has started")
        if verb == "get":
            reason = "FailedCreate" if refused else "FailedMount"
            return f"other FailedCreate x\nairflow-backup-x {reason} exceeded quota: few"
        if verb == "delete":
            deleted.append(args[1])
        return ""

    found: dict[str, list[Any]] = {
        "configmap": [{}],
        "job": [job],
        "pods": [] if refused else [{"status": {"phase": "Pending"}}],
    }
    message = "no pod may be made: " if refused else "has not started after 601 s:\n.*FailedMount "
    with pytest.raises(RolloutError, match=f"{message}exceeded quota: few"):
        run_job(cluster(found, run), job)
    assert deleted == ["airflow-backup-x"]


def test_a_backup_that_hangs_does_not_prevent_later_ones() -> None:
    assert (
        backup_job(load("dev"), "b", "manual", CURRENT)["spec"]["activeDeadlineSeconds"] == DEADLINE
    )
    restore = restore_job(load("dev"), "r", NAME, "airflow", CURRENT)
    assert "activeDeadlineSeconds" not in restore["spec"]  # half a restore is worse than a slow one
