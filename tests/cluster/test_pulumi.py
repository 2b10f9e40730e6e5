"""The real Pulumi CLI: up, nothing changed, a change, down, up again.

The tests build on each other in this order.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import COMMAND, ROOT, Deployment, in_namespace, wait_for

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="the Pulumi CLI is not on PATH"),
]


class PulumiDeployment(Deployment):
    """A deployment by the Pulumi engine, its state in a folder of its own."""

    def make(
        self, goal: str, *variables: str, ok: bool = True, more: str = "", quiet: bool = False
    ) -> str:
        """The command behind `make goal`, with this test's own backend."""
        overrides = f"--set={self.overrides} {more}"
        return self.call(*COMMAND, goal, "sandbox", *variables, overrides)

    def call(self, *command: str) -> str:
        """Standard output and error of a command in the checkout."""
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": "infra"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print(done.stdout)
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def airflow(sandbox: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PulumiDeployment]:
    """An Airflow that the first test brings up."""
    state: Path = tmp_path_factory.mktemp("state")
    before = os.environ.get("PULUMI_BACKEND_URL")
    os.environ["PULUMI_BACKEND_URL"] = f"file://{state}"
    os.environ["PULUMI_CONFIG_PASSPHRASE"] = "sandbox"
    kubectl_one = in_namespace("airflow-pulumi", 30084)
    overrides = kubectl_one.overrides.replace("engine=kubectl", "engine=pulumi")
    deployment = PulumiDeployment(kubectl_one.namespace, overrides)
    deployment.remove(wait=True)
    yield deployment
    deployment.remove()
    os.environ["PULUMI_BACKEND_URL"] = before or ""


def summary(output: str) -> dict[str, int]:
    """The counts of the last `Resources:` paragraph: `{"created": 36}`."""
    text = output.rpartition("Resources:")[2]
    return {
        what: int(n) for n, what in re.findall(r"(\d+) (created|updated|unchanged|deleted)", text)
    }


def test_up_makes_everything_and_airflow_works(airflow: PulumiDeployment) -> None:
    assert set(summary(airflow.make("up"))) == {"created"}
    assert ": success" in airflow.make("smoke", "--once")


def test_a_second_up_changes_nothing(airflow: PulumiDeployment) -> None:
    wait_for("task pods to be gone", lambda: not airflow.pods("task"))
    before = airflow.pods()
    assert set(summary(airflow.make("up"))) == {"unchanged"}
    assert airflow.pods() == before


def test_a_changed_value_updates_its_objects_alone(airflow: PulumiDeployment) -> None:
    counts = summary(airflow.make("up", more="airflow.tasks.resources.limits.memory=640Mi"))
    # The pod template's ConfigMap and the scheduler, which reads it at its start.
    assert counts["updated"] == 2
    assert set(counts) == {"updated", "unchanged"}


def test_another_executor_comes_and_goes(airflow: PulumiDeployment) -> None:
    celery = "airflow.executor=CeleryKubernetesExecutor"
    preview = airflow.make("preview", more=celery)
    (planned,) = re.findall(r"(\d+) to create", preview)
    assert "to delete" not in preview
    assert "to replace" not in preview
    counts = summary(airflow.make("up", more=celery))
    assert counts["created"] == int(planned) > 0
    assert ": success" in airflow.make("smoke", more=celery)
    back = summary(airflow.make("up"))
    assert back["deleted"] == counts["created"]
    assert back["updated"] == counts["updated"]


def test_a_password_changed_by_hand_is_not_written_over(airflow: PulumiDeployment) -> None:
    patch = '{"stringData": {"password": "changedByHand"}}'
    airflow.kubectl("patch", "secret", "airflow-admin", "--patch", patch)
    airflow.make("up", more="secrets.revision=2")
    value = airflow.kubectl(
        "get", "secret", "airflow-admin", "-o", "go-template={{.data.password | base64decode}}"
    )
    assert value == "changedByHand"


def test_down_keeps_the_data_and_up_finds_it_again(airflow: PulumiDeployment) -> None:
    claims = airflow.kubectl("get", "pvc,secrets", "-o", "name").split()
    output = airflow.make("down")
    assert "deleted" in summary(output)
    assert airflow.kubectl("get", "pvc,secrets", "-o", "name").split() == claims
    assert not airflow.kubectl("get", "deployments,statefulsets", "-o", "name")
    assert "created" in summary(airflow.make("up"))


def test_the_command_that_down_prints_deletes_the_rest(airflow: PulumiDeployment) -> None:
    command = re.search(r"for good: (pulumi state .*)", airflow.make("down"))
    assert command is not None
    script = command[1].replace("pulumi destroy", "pulumi destroy --yes")
    airflow.call("bash", "-c", script)
    assert not airflow.kubectl("get", "namespace", "airflow-pulumi", "--ignore-not-found")
