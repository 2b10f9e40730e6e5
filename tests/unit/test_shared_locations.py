"""Two environments that would use one place are refused, with both files."""

import io
import sys

import pytest
from airflow_kubernetes.cli import check, shared_locations
from airflow_kubernetes.cli.main import main
from airflow_kubernetes.environment import load
from airflow_kubernetes.errors import CommandError

EXTERNAL = (
    "database.mode=external database.external.host={} database.external.secret=mine "
    "database.name={} database.external.port={}"
)
NODE_PORT = "airflow.apiServer.service.type=NodePort airflow.apiServer.service.nodePort=30001"


def shared(dev: str, prod: str) -> list[str]:
    """What is reported for two environments with these overrides."""
    found = shared_locations.shared({"dev": load("dev", dev), "prod": load("prod", prod)})
    return list(found)


@pytest.fixture
def one_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_locations, "context", lambda _: "airflow-all")


@pytest.mark.usefixtures("one_context")
def test_one_namespace_of_one_cluster() -> None:
    assert shared("", "") == [
        "values/dev.yaml and values/prod.yaml: namespace: both use the namespace airflow of "
        "context airflow-all; set another one in one of them, or another cluster"
    ]
    assert shared("namespace=airflow-dev", "") == []


@pytest.mark.usefixtures("one_context")
def test_the_namespace_of_launched_pods_is_no_other_environment_s() -> None:
    assert shared("namespace=airflow-tasks", "") == [
        "values/dev.yaml and values/prod.yaml: namespace: both use the namespace airflow-tasks of "
        "context airflow-all; set another one in one of them, or another cluster"
    ]
    assert shared("namespace=airflow-tasks", "airflow.tasks.launchPods=false") == []


@pytest.mark.usefixtures("one_context")
def test_one_node_port_of_one_cluster() -> None:
    (line,) = shared(f"namespace=airflow-dev {NODE_PORT}", NODE_PORT)
    assert "airflow.apiServer.service.nodePort: both use the port 30001 of context" in line


def test_the_same_names_in_two_clusters_are_usual() -> None:
    assert shared(NODE_PORT, NODE_PORT) == []


@pytest.mark.parametrize(
    ("dev", "prod", "same"),
    [
        (("db.example.com", "airflow", 3306), ("db.example.com", "airflow", 3306), True),
        (("DB.example.com.", "Airflow", 3306), ("db.example.com", "airflow", 3306), True),
        (("db.example.com", "airflow_dev", 3306), ("db.example.com", "airflow", 3306), False),
        (("db.example.com", "airflow", 3306), ("db.example.com", "airflow", 3307), False),
        (("dev.example.com", "airflow", 3306), ("db.example.com", "airflow", 3306), False),
    ],
)
def test_one_external_database(
    dev: tuple[str, str, int], prod: tuple[str, str, int], same: bool
) -> None:
    found = shared(EXTERNAL.format(*dev), EXTERNAL.format(*prod))
    assert len(found) == same
    for line in found:
        assert line.startswith("values/dev.yaml and values/prod.yaml: database.name: both use the ")
        assert "the database airflow of db.example.com:3306" in line


def test_a_database_in_the_cluster_is_each_environment_s_own() -> None:
    assert shared(EXTERNAL.format("db", "airflow", 3306), "") == []


@pytest.mark.usefixtures("one_context")
@pytest.mark.parametrize("command", ["check", "preview", "up"])
def test_check_preview_and_up_refuse_it(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "parity_of_all", lambda: None)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert main([command] if command == "check" else [command, "dev"]) == 1
    error = capsys.readouterr().err
    assert "values/dev.yaml and values/prod.yaml: namespace: both use the namespace" in error


def test_an_environment_without_a_cluster_shares_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def context(name: str) -> str:
        raise CommandError("names no cluster")

    monkeypatch.setattr(shared_locations, "context", context)
    assert shared("", "") == []
