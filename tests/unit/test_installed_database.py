"""Lost data, and images of MySQL that do not fit it, are refused before anything changes."""

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from airflow_kubernetes.cli import installed_database
from airflow_kubernetes.cli.installed_database import Found, check, parsed
from airflow_kubernetes.cli.target import Target
from airflow_kubernetes.environment import load
from airflow_kubernetes.errors import CommandError
from airflow_kubernetes.kubectl.client import Kubectl, KubectlError
from airflow_kubernetes.kubernetes.manifest import Manifest

LIVE = "10.244.0.1:5000/stand-in/mysql:9.7"
FULL, EMPTY = "9.7.4\t3\n", "9.7.4-0debian1\t0\n"
CLAIMS = ("airflow-mysql", "airflow-logs", "airflow-backups")


def backup(age: timedelta) -> str:
    return f"{datetime.now(UTC) - age:%Y%m%dT%H%M%SZ}-manual"


def claim(name: str, **metadata: Any) -> Manifest:
    status = {"phase": metadata.pop("phase", "Bound")}
    return {"metadata": {"name": name, **metadata}, "spec": {"volumeName": "v"}, "status": status}


@dataclasses.dataclass
class Cluster:
    """What a cluster holds; `answer` is MySQL's, `backups` are the names on the volume."""

    release: str | None = "3.3.2"
    claims: tuple[Manifest, ...] = tuple(map(claim, CLAIMS))
    running: str | None = LIVE
    answer: str | KubectlError = FULL
    backups: tuple[str, ...] = ()
    version: str | None = None
    migrated: bool = False

    def get(self, kind: str, *_: str) -> list[Manifest]:
        if kind == "persistentvolumeclaims":
            note = {installed_database.VERSION: self.version} if self.version else {}
            for one in self.claims:
                one["metadata"]["annotations"] = note
            return list(self.claims)
        if kind == "configmap":
            return [{"data": {"release": self.release}}] if self.release else []
        if kind == "jobs" and self.migrated:
            metadata = {"labels": {"app.kubernetes.io/version": "3.3.2"}}
            spec = {"template": {"metadata": metadata}}
            return [{"spec": spec, "status": {"completionTime": "2026"}}]
        if kind == "statefulset" and self.running:
            template = {"spec": {"containers": [{"image": self.running}]}}
            return [{"spec": {"template": template}, "status": {"readyReplicas": 1}}]
        return []

    def run(self, *args: str, **_: Any) -> str:
        assert args[0] == "exec"
        if isinstance(self.answer, KubectlError):
            raise self.answer
        return self.answer


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that returns what `check` says of a cluster and overrides; "" if it accepts."""

    def refusal(cluster: Cluster, overrides: str = "") -> str:
        monkeypatch.setattr(Kubectl, "get", lambda _, *args: cluster.get(*args))
        monkeypatch.setattr(Kubectl, "run", lambda _, *args, **more: cluster.run(*args, **more))

        def log_of(_: Kubectl, job: Manifest) -> str:
            query = "inventory" not in job["metadata"]["name"]
            return str(cluster.answer) if query else "\n".join((*cluster.backups, "x.partial"))

        monkeypatch.setattr(installed_database, "_log_of", log_of)
        monkeypatch.setattr(installed_database, "_series_of", series_of)
        target = Target("sandbox", overrides, load("sandbox", overrides))
        target.__dict__["kubectl"] = Kubectl("cluster", "airflow")
        try:
            check(target)
        except CommandError as error:
            return str(error)
        return ""

    return refusal


def series_of(_: object, image: str) -> tuple[tuple[int, int] | None, bool]:
    """Images whose tag is their version, `unknown` and `nowhere`."""
    tag = image.rpartition(":")[2]
    if tag in ("unknown", "nowhere"):
        return None, tag == "unknown"
    return cast(tuple[int, int], tuple(map(int, tag.split(".")))), True


EXTERNAL = "database.mode=external database.external.host=db database.external.secret=login"
WITHOUT = tuple(map(claim, CLAIMS[1:]))
NAMES = tuple(backup(timedelta(days=age)) for age in range(9, 1, -1))


def test_what_is_whole_or_new_is_accepted(tried: Any) -> None:
    cases = {
        "whole": (Cluster(), ""),
        "the first up": (Cluster(None, (), None), ""),
        "an interrupted first up": (Cluster(None, WITHOUT, None), ""),
        "an interrupted migration": (Cluster(None, answer=EMPTY), ""),
        "down and up": (Cluster(running=None), ""),
        "not reachable yet": (Cluster(answer=KubectlError("not running")), ""),
        "an answer that says nothing": (Cluster(answer="ERROR 2003: no connection"), ""),
        "a restore of a lost claim": (Cluster(claims=WITHOUT), "airflow.stopped=true"),
        "a restore into an empty database": (Cluster(answer=EMPTY), "airflow.stopped=true"),
        "an external database": (Cluster(claims=WITHOUT, running=None), EXTERNAL),
        "a new external one": (Cluster(None, WITHOUT, None, EMPTY), EXTERNAL),
    }
    for name, (cluster, overrides) in cases.items():
        assert tried(cluster, overrides) == "", name


def test_an_empty_database_where_one_was_is_refused_with_the_ways_to_go_on(tried: Any) -> None:
    cases = {
        "the claim airflow-mysql is gone": (Cluster(claims=WITHOUT, backups=NAMES), ""),
        "the database airflow on airflow-mysql is empty": (
            Cluster(answer=EMPTY, backups=NAMES),
            "",
        ),
        # Nobody recorded it: the `up` was killed, or was Pulumi's own.
        "the claim airflow-mysql is gone, and": (
            Cluster(None, WITHOUT, backups=NAMES, migrated=True),
            "",
        ),
        "the database airflow on db is empty": (Cluster(answer=EMPTY, backups=NAMES), EXTERNAL),
        "the database wrong on db is empty": (
            Cluster(answer="ERROR 1049 (42000): Unknown database 'wrong'", backups=NAMES),
            f"{EXTERNAL} database.name=wrong",
        ),
    }
    for what, (cluster, overrides) in cases.items():
        message = tried(cluster, overrides)
        assert message.startswith(what), message
        assert "Airflow 3.3.2 is installed in namespace airflow" in message
        assert f"make restore FROM={NAMES[-1]} ENV=sandbox" in message
        assert ", ".join(reversed(NAMES[-5:])) in message
        assert "partial" not in message
        assert "kubectl --context cluster --namespace airflow delete configmap airflow-release" in (
            message
        )


def test_without_a_backup_the_way_is_the_same(tried: Any) -> None:
    for cluster in (Cluster(claims=WITHOUT), Cluster(claims=())):
        message = tried(cluster)
        assert "make restore FROM=<backup> ENV=sandbox" in message
        assert "none, or they cannot be listed now" in message


def test_a_claim_that_is_going_or_has_no_volume_is_refused(tried: Any) -> None:
    for name in CLAIMS:
        going = (claim(name, deletionTimestamp="2026-01-01T00:00:00Z"),)
        for overrides in ("", "airflow.stopped=true"):
            message = tried(Cluster(claims=going), overrides)
            assert f"the claim {name} is being deleted" in message
            assert "make backup ENV=sandbox" in message
        message = tried(Cluster(claims=(claim(name, phase="Lost"),)))
        assert re.search(rf"the claim {name} has lost its volume v.*delete pvc {name}", message)


def test_lost_backups_are_said(tried: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert tried(Cluster(claims=tuple(map(claim, CLAIMS[:2])))) == ""
    assert "the claim airflow-backups is gone" in capsys.readouterr().err


def image(tag: str) -> str:
    return f"database.cluster.image=10.244.0.1:5000/stand-in/mysql:{tag}"


def test_another_series_requires_a_recent_backup_and_a_lower_one_is_refused(tried: Any) -> None:
    recent, old = (backup(timedelta(hours=hours)) for hours in (1, 25))
    refused = "requires a backup of the last 24 hours"
    cases = [
        ("9.7", LIVE, "", (), ""),
        ("8.4", LIVE, "", (recent,), "MySQL 8.4 cannot read data of MySQL 9.7"),
        ("10.1", LIVE, "", (), refused),
        ("10.1", LIVE, "", (old,), refused),
        ("10.1", LIVE, "", (old, recent), ""),
        ("unknown", LIVE, "", (), "does not say its MySQL version"),
        ("unknown", LIVE, "", (recent,), ""),
        ("nowhere", LIVE, "", (), ""),  # it cannot start
        # After `make down` the claim says which server wrote on it last.
        ("8.4", None, "9.7.4", (), "MySQL 8.4 cannot read data of MySQL 9.7"),
        ("9.7", None, "8.0.40", (recent,), "is upgraded to 8.4 first"),
        ("9.7", None, "9.7.4", (), ""),
        ("9.7", None, None, (), ""),
    ]
    for tag, running, version, backups, expected in cases:
        cluster = Cluster(running=running, version=version or None, backups=backups)
        for overrides in (image(tag), f"{image(tag)} airflow.stopped=true"):
            message = tried(cluster, overrides)
            assert expected in message, (tag, message)
            assert bool(expected) == bool(message), (tag, message)


def test_an_image_that_runs_already_is_not_asked_again(tried: Any) -> None:
    assert tried(Cluster(running=LIVE, answer="8.4.6\t3")) == ""


def test_what_the_client_prints() -> None:
    assert parsed("9.7.4-0debian1\t3\n") == Found("9.7.4", empty=False)
    assert parsed("mysql: [Warning] x\n8.0.40\t0\n") == Found("8.0.40", empty=True)
    assert parsed("10.11.6-MariaDB-0+deb12u1\t2") == Found("10.11.6", empty=False)
    assert parsed("ERROR 1049 (42000): Unknown database 'a'") == Found(None, empty=True)
    assert parsed("ERROR 2003 (HY000): Can't connect") is None
