"""What whole environments promise, whatever is in them."""

import json
import shutil
from pathlib import Path

import pytest
from airflow_kubernetes.airflow.executors import EXECUTORS
from airflow_kubernetes.airflow.releases import RELEASES
from airflow_kubernetes.secrets import PLACEHOLDER
from airflow_kubernetes.settings.load import environments

from .conftest import ROOT, render, run
from .objects import objects, of_kind, pods, templates

each_environment = pytest.mark.parametrize("environment", environments())


@each_environment
def test_data_and_secrets_are_protected(environment: str) -> None:
    for obj in objects("", environment).values():
        protected = obj["metadata"]["labels"].get("airflow-kubernetes/protected") == "true"
        assert protected == (obj["kind"] in ("Namespace", "PersistentVolumeClaim", "Secret"))


@each_environment
def test_secrets_hold_placeholders_only(environment: str) -> None:
    for obj in of_kind(objects("", environment), "Secret"):
        plain = ("username", "database")
        values = {k: v for k, v in obj["stringData"].items() if k not in plain}
        assert set(values.values()) == {PLACEHOLDER}


def test_dev_and_prod_run_the_same_things() -> None:
    """What prod has more of has a disruption budget there."""
    more = objects("", "prod").keys() ^ objects("", "dev").keys()
    assert more == {"PodDisruptionBudget/airflow-api-server"}


def test_a_login_makes_the_secret_that_all_pods_pull_with() -> None:
    rendered = objects("images.login=true")
    made = rendered["Secret/airflow-registry"]
    assert '"password": "[secret]"' in made["stringData"][".dockerconfigjson"]
    for name, pod in pods(rendered).items():
        assert pod["imagePullSecrets"] == [{"name": "airflow-registry"}], name
    own = objects("images.login=true images.imagePullSecrets=[mine]")
    assert "airflow-registry" not in json.dumps(own)


@pytest.mark.parametrize(
    ("overrides", "rolled"),
    [
        ("airflow.tasks.resources.limits.memory=2Gi", {"scheduler"}),
        (
            "airflow.parallelism=7",
            {"api-server", "dag-processor", "scheduler", "triggerer"},
        ),
        ("database.cluster.maxConnections=300", {"mysql"}),
        ("airflow.admin.email=x@example.com", set()),
        ("database.backup.keep=3", set()),
    ],
)
def test_a_change_rolls_exactly_the_pods_that_use_it(overrides: str, rolled: set[str]) -> None:
    rolling = {
        obj["metadata"]["name"].removeprefix("airflow-")
        for kind in ("Deployment", "StatefulSet")
        for obj in of_kind(objects(), kind)
    }
    before, after = dict(templates(objects())), dict(templates(objects(overrides)))
    assert {name for name in rolling if before[name] != after[name]} == rolled


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("version", RELEASES)
def test_stopped_means_that_nothing_of_airflow_runs(version: str, executor: str) -> None:
    rendered = objects(
        f"airflow.stopped=true airflow.version={version} airflow.executor={executor} "
        "airflow.celery.workers.default.maxReplicas=5"
    )
    assert {obj["spec"]["replicas"] for obj in of_kind(rendered, "Deployment")} == {0}
    kinds = {obj["kind"] for obj in rendered.values()}
    assert not kinds & {"Job", "HorizontalPodAutoscaler", "ScaledObject"}
    assert "StatefulSet" in kinds  # the database goes on


def test_two_renders_are_the_same_bytes() -> None:
    assert render("dev") == render("dev")


def test_a_render_does_not_depend_on_the_folder_or_the_umask(tmp_path: Path) -> None:
    for name in ("infra", "values", "images", "dags"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "images.lock.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    for file in (tmp_path / "dags").rglob("*.py"):
        file.chmod(0o600)
    (tmp_path / "dags" / "__pycache__").mkdir()
    (tmp_path / "dags" / "__pycache__" / "smoke.cpython-311.pyc").write_bytes(b"left behind")
    assert render("dev", root=tmp_path) == render("dev")


def test_overrides_are_not_applied_to_a_real_environment() -> None:
    done = run("up", "dev", "airflow.parallelism=1")
    assert done.returncode == 1
    assert "write the values into values/dev.yaml" in done.stderr
