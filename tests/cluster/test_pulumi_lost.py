"""Nothing lost, under the real Pulumi CLI: interruptions, a bad server, a lost Secret and claim.

Airflow is stopped: MySQL and Redis are what matters. The tests build on each other in this order.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from airflow_kubernetes.cli import installed_release

from .conftest import in_namespace, wait_for
from .test_lost_data import NOPE, image, secret, variable, write
from .test_pulumi import POD, PulumiDeployment, summary

pytestmark = [pytest.mark.cluster, pytest.mark.pulumi, pytest.mark.long]

STOPPED = "airflow.stopped=true"
REVISION = f"{STOPPED} secrets.revision=2"


@pytest.fixture(scope="module")
def airflow(sandbox: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PulumiDeployment]:
    """A namespace and a backend, both empty."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path_factory.mktemp('state')}")
        patch.setenv("PULUMI_CONFIG_PASSPHRASE", "sandbox")
        kubectl_one = in_namespace("airflow-pulumi-lost", 30123)
        overrides = kubectl_one.overrides.replace("engine=kubectl", "engine=pulumi")
        overrides += " airflow.executor=CeleryExecutor"
        deployment = PulumiDeployment(kubectl_one.namespace, overrides)
        deployment.remove(wait=True)
        yield deployment
        deployment.remove()


def locks() -> list[Path]:
    state = os.environ["PULUMI_BACKEND_URL"].removeprefix("file://")
    return [*Path(state, ".pulumi", "locks").rglob("*.json")]


def interrupted(airflow: PulumiDeployment, kind: str, number: int, *, group: bool) -> str:
    """What `make up` prints that gets a signal when the first object of a kind exists."""
    with airflow.begin("up", more=STOPPED, own_group=True) as up:
        wait_for(
            f"the lock and {kind}",
            lambda: locks() and airflow.kubectl("get", kind, "-o", "name"),
            600,
        )
        if group:
            os.killpg(up.pid, number)
        else:
            up.send_signal(number)
        output = up.communicate(timeout=300)[0]
        assert up.returncode == 130, output
    return output


def bind(airflow: PulumiDeployment) -> None:
    """A pod that mounts the claims of the logs and the backups."""
    target = airflow.target()
    pod = yaml.safe_load(POD.replace("IMAGE", target.settings.database.cluster.image))
    claim = {"persistentVolumeClaim": {"claimName": "airflow-backups"}}
    pod["spec"]["volumes"].append({"name": "backups", **claim})
    target.kubectl.run("create", "--filename=-", objects=[pod])
    airflow.kubectl("wait", "pod/task", "--for=condition=Ready", "--timeout=180s")
    airflow.kubectl("delete", "pod", "task", "--grace-period=0", "--force")


def test_an_up_that_is_interrupted_releases_its_lock_and_is_finished_by_the_next(
    airflow: PulumiDeployment,
) -> None:
    for kind, number, group in (
        ("secrets", signal.SIGINT, True),
        ("statefulsets", signal.SIGTERM, False),
    ):
        output = interrupted(airflow, kind, number, group=group)
        assert "cancelling" in output
        assert "pulumi up has ended; run the command again to continue" in output
        assert not locks()
    # Pulumi waits for claims, and nothing of Airflow that is stopped would have the volumes bound.
    bind(airflow)
    values = secret(airflow, "airflow-keys", "fernet-key")
    assert set(summary(airflow.make("up", more=STOPPED))) <= {"created", "updated", "unchanged"}
    assert secret(airflow, "airflow-keys", "fernet-key") == values


def test_a_secret_that_is_made_again_restarts_what_uses_it(airflow: PulumiDeployment) -> None:
    """Pulumi makes it as it was at first, and it was changed since."""
    write(airflow, "airflow-celery", "broker-password", "changedByHand")
    airflow.make("up", more=REVISION)
    airflow.kubectl("delete", "secret", "airflow-celery")
    output = airflow.make("up", more=REVISION)
    assert "StatefulSet airflow-redis: restarted, as the Secret airflow-celery is newer" in output
    password = secret(airflow, "airflow-celery", "broker-password")
    assert variable(airflow, "airflow-redis-0", "REDIS_PASSWORD") == password != "changedByHand"
    assert "no drift" in airflow.make("drift", more=REVISION)
    assert set(summary(airflow.make("up", more=REVISION))) == {"unchanged"}


def test_a_server_that_cannot_start_is_said_at_once_and_corrected_by_the_next_up(
    airflow: PulumiDeployment,
) -> None:
    more = f"{REVISION} database.cluster.image={NOPE} broker.cluster.image={NOPE}"
    output = airflow.call(*airflow.command("up", more=more), ok=False)
    assert "failed: ImagePullBackOff" in output
    assert not locks()
    airflow.make("up", more=REVISION)
    for pod in ("airflow-mysql-0", "airflow-redis-0"):
        assert image(airflow, pod) != NOPE


def test_a_lost_claim_is_refused(airflow: PulumiDeployment) -> None:
    installed_release.record(airflow.target(), "3.3.2")
    airflow.make("down")
    airflow.kubectl("delete", "pvc", "airflow-mysql")
    for goal in ("preview", "up"):
        output = airflow.call(*airflow.command(goal), ok=False)
        assert "the claim airflow-mysql is gone, and with it the database" in output
        assert "delete configmap airflow-release" in output
    assert not airflow.kubectl("get", "pvc", "airflow-mysql", "--ignore-not-found")
