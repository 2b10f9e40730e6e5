"""The real Pulumi CLI: an up that is killed, one without changes, changes, down, up, destroy.

The tests build on each other in this order.
"""

import base64
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from airflow_kubernetes.cli.status import password

from .conftest import ROOT, Deployment, in_namespace, wait_for

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.pulumi,
]


MEMORY = "airflow.tasks.resources.limits.memory=640Mi"
POD = """
apiVersion: v1
kind: Pod
metadata: {name: task}
spec:
  securityContext: {runAsUser: 65534, runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: task
    image: IMAGE
    command: [sleep, "600"]
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
    volumeMounts: [{name: logs, mountPath: /logs}]
  volumes: [{name: logs, persistentVolumeClaim: {claimName: airflow-logs}}]
"""
"""It mounts a claim, as a task's pod that has ended does."""


class PulumiDeployment(Deployment):
    """A deployment by the Pulumi engine, its state in a folder of its own."""

    def make(
        self, goal: str, *variables: str, ok: bool = True, more: str = "", quiet: bool = False
    ) -> str:
        """The command behind `make goal`, with this test's own backend."""
        return self.call(*self.command(goal, *variables, more=more), ok=ok)


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


def test_an_up_that_was_killed_is_finished_by_the_next(airflow: PulumiDeployment) -> None:
    with subprocess.Popen(
        airflow.command("up"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "infra"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as up:
        wait_for("a Deployment", lambda: airflow.kubectl("get", "deployments", "-o", "name"), 600)
        os.killpg(up.pid, signal.SIGKILL)
    airflow.call("pulumi", "cancel", "--yes", "--stack", "sandbox")
    assert set(summary(airflow.make("up"))) <= {"created", "updated", "unchanged"}
    assert ": success" in airflow.make("smoke", "--once")


def test_no_generated_value_is_in_the_state_in_plain_text(airflow: PulumiDeployment) -> None:
    state = airflow.call("pulumi", "stack", "export", "--stack", "sandbox")
    values = {
        value
        for secret in json.loads(airflow.kubectl("get", "secrets", "-o", "json"))["items"]
        for key, value in secret["data"].items()
        if key not in ("username", "database")
    }
    assert len(values) == 8
    for value in values:
        assert value not in state
        assert base64.b64decode(value).decode() not in state


def test_the_password_is_an_output(airflow: PulumiDeployment) -> None:
    outputs = ("pulumi", "stack", "output", "--stack", "sandbox", "--json")
    assert json.loads(airflow.call(*outputs))["password"] == "[secret]"
    shown = json.loads(airflow.call(*outputs, "--show-secrets"))
    assert shown["password"] == password(airflow.target())


def test_an_empty_stack_next_to_what_pulumi_deployed_is_refused(
    airflow: PulumiDeployment, tmp_path: Path
) -> None:
    elsewhere = f"file://{tmp_path}"
    for goal in ("preview", "up"):
        command = airflow.command(goal)
        output = airflow.call(*command, ok=False, PULUMI_BACKEND_URL=elsewhere)
        assert "was deployed by Pulumi, but the backend has no stack sandbox" in output
        assert "PULUMI_BACKEND_URL" in output
    assert not list(tmp_path.rglob("sandbox.json"))


def test_up_restores_what_was_deleted_manually(airflow: PulumiDeployment) -> None:
    gone = ("deployment/airflow-triggerer", "configmap/airflow-task-images")
    airflow.kubectl("delete", *gone)
    assert summary(airflow.make("up"))["created"] == 2
    airflow.kubectl("get", *gone)


def test_a_second_up_changes_nothing(airflow: PulumiDeployment) -> None:
    wait_for("task pods to be gone", lambda: not airflow.pods("task"))
    before = airflow.pods()
    assert set(summary(airflow.make("up"))) == {"unchanged"}
    assert airflow.pods() == before


def test_a_changed_value_updates_its_objects_alone(airflow: PulumiDeployment) -> None:
    counts = summary(airflow.make("up", more=MEMORY))
    # The pod template's ConfigMap, the scheduler, and the limits of pods that tasks launch.
    assert counts["updated"] == 3
    assert set(counts) == {"updated", "unchanged"}


def test_another_executor_comes_and_goes(airflow: PulumiDeployment) -> None:
    celery = f"{MEMORY} airflow.executor=CeleryKubernetesExecutor"
    preview = airflow.make("preview", more=celery)
    (planned,) = re.findall(r"(\d+) to create", preview)
    assert "to delete" not in preview
    assert "to replace" not in preview
    counts = summary(airflow.make("up", more=celery))
    assert counts["created"] == int(planned) > 0
    assert ": success" in airflow.make("smoke", more=celery)
    back = summary(airflow.make("up", more=MEMORY))
    assert back["deleted"] == counts["created"]
    assert back["updated"] == counts["updated"]


def test_a_password_changed_by_hand_is_not_written_over(airflow: PulumiDeployment) -> None:
    patch = '{"stringData": {"password": "changedByHand"}}'
    airflow.kubectl("patch", "secret", "airflow-admin", "--patch", patch)
    airflow.make("up", more=f"{MEMORY} secrets.revision=2")
    value = airflow.kubectl(
        "get", "secret", "airflow-admin", "-o", "go-template={{.data.password | base64decode}}"
    )
    assert value == "changedByHand"


def test_down_keeps_the_data_and_up_finds_it_again(airflow: PulumiDeployment) -> None:
    claims = airflow.kubectl("get", "pvc,secrets", "-o", "name").split()
    airflow.tasks.kubectl("create", "secret", "generic", "of-mine", "--from-literal=a=b")
    output = airflow.make("down")
    assert "deleted" in summary(output)
    assert airflow.kubectl("get", "pvc,secrets", "-o", "name").split() == claims
    assert not airflow.kubectl("get", "deployments,statefulsets", "-o", "name")
    # The namespace of launched pods is left with what users made in it, and taken over again.
    kinds = "secrets,resourcequotas,rolebindings"
    assert airflow.tasks.kubectl("get", kinds, "-o", "name").split() == ["secret/of-mine"]
    assert "created" in summary(airflow.make("up"))
    assert "secret/of-mine" in airflow.tasks.kubectl("get", kinds, "-o", "name").split()


def test_the_command_that_down_prints_deletes_the_rest(airflow: PulumiDeployment) -> None:
    command = re.search(r"for good: (.*pulumi state .*)", airflow.make("down"))
    assert command is not None
    # A pod that mounts a claim delays its deletion, but not that of the namespace.
    target = airflow.target()
    pod = POD.replace("IMAGE", target.settings.database.cluster.image)
    target.kubectl.run("create", "--filename=-", objects=[yaml.safe_load(pod)])
    airflow.kubectl("wait", "pod/task", "--for=condition=Ready", "--timeout=120s")
    script = command[1].replace("pulumi destroy", "pulumi destroy --yes")
    airflow.call("bash", "-c", script)
    for place in (airflow, airflow.tasks):
        assert not airflow.kubectl("get", "namespace", place.namespace, "--ignore-not-found")
