"""The rules over what the real program renders, by make policies and under the Pulumi CLI."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from airflow_kubernetes.airflow.executors import EXECUTORS
from airflow_kubernetes.airflow.releases import RELEASES
from airflow_kubernetes.environment import load
from airflow_kubernetes.policies import waivers
from airflow_kubernetes.policies.rule import Subject
from airflow_kubernetes.policies.rules import RULES, violations
from airflow_kubernetes.render import objects
from airflow_kubernetes.settings.load import environments

from .conftest import run
from .pod_values import every_key, values
from .pulumi_checkout import checkout


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("version", RELEASES)
@pytest.mark.parametrize("environment", environments())
def test_no_environment_breaks_a_rule(environment: str, version: str, executor: str) -> None:
    overrides = f"airflow.version={version} airflow.executor={executor}"
    subject = Subject(objects(environment, overrides), load(environment, overrides), environment)
    known = waivers.load(RULES, environments())
    found = violations(subject, known, datetime.now(UTC).date())
    assert [violation for violation in found if violation.waiver is None] == []


def test_the_command_reports_what_breaks_a_rule() -> None:
    done = run("policies", "dev", "database.cluster.image=mysql:8.4 budget.storage=2Gi")
    assert done.returncode == 1
    assert "StatefulSet/airflow-mysql: image-digest" in done.stdout
    assert "at   spec.template.spec.containers[mysql].image" in done.stdout
    assert "budget.storage is 2Gi" in done.stdout
    assert "error: rules are broken in 3 places" in done.stderr


def test_existing_secrets_that_the_values_name_are_no_dangling_references() -> None:
    values = (
        "database.mode=external database.external.host=db.example.com "
        "database.external.secret=my-database images.imagePullSecrets=[my-login] "
        'airflow.tasks.volumes=[{"name":"more","mountPath":"/more","claim":"mine"}]'
    )
    done = run("policies", "dev", values)
    assert (done.returncode, "no violation" in done.stdout) == (0, True), done.stdout


def test_every_key_of_a_pod_keeps_the_rules() -> None:
    done = run("policies", "dev", f"airflow.executor=CeleryKubernetesExecutor {every_key()}")
    assert (done.returncode, "no violation" in done.stdout) == (0, True), done.stdout


def test_a_secret_as_a_text_is_reported_in_every_component() -> None:
    """So are a side-car's."""
    values_of = {path: {"env": {"API_TOKEN": "hunter2"}} for path in ("pods", "database.cluster")}
    done = run("policies", "dev", values(values_of))
    for name in ("Deployment/airflow-triggerer", "StatefulSet/airflow-mysql"):
        assert f"{name}: no-secret-in-environment" in done.stdout
    assert "hunter2" not in done.stdout


@pytest.mark.pulumi
@pytest.mark.parametrize(
    ("overrides", "broken"),
    [
        ("", []),
        (
            "database.cluster.image=mysql:8.4 "
            'airflow.configuration={"celery_broker_transport_options":{"password":"hunter2"}}',
            ["image-digest", "no-secret-in-config-map"],
        ),
    ],
)
def test_the_policy_pack_runs_in_a_preview(
    overrides: str, broken: list[str], tmp_path: Path
) -> None:
    project = checkout(tmp_path, "prod", f"engine=pulumi {overrides}")
    project.lock_images(load("prod", overrides))

    def pulumi(*arguments: str) -> subprocess.CompletedProcess[str]:
        return project.run("pulumi", *arguments, "--stack", "prod")

    assert pulumi("stack", "select", "--create").returncode == 0
    done = pulumi("preview", "--policy-pack", "infra/policy-pack")
    text = done.stdout + done.stderr
    assert (done.returncode != 0) == bool(broken), text
    assert "airflow-kubernetes@v0.1.0" in text
    for rule in RULES:
        assert (f"[mandatory]  {rule} " in text) == (rule in broken), text
    assert "hunter2" not in text.partition("Policies:")[2].partition("Diagnostics:")[0]
