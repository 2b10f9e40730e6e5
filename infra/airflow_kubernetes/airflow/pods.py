"""What every pod of Airflow's image shares: user, volumes, environment, waiting for the schema."""

from collections.abc import Iterable, Sequence
from typing import Any

from ..broker import connection as broker
from ..database import connection as database
from ..kubernetes import manifest as objects
from ..kubernetes import pods
from ..kubernetes.manifest import Manifest, manifest
from ..secrets import KEYS_SECRET
from ..settings.schema import Quantities, Resources, Settings
from . import dags, task_images
from .configuration import HOME, plain
from .releases import BROKER, DATABASE, RELEASES, RESULTS

CONFIG_MAP = "airflow-config"
LOGS_CLAIM = "airflow-logs"
UID, GID = 50000, 0
"""As in Apache's own image: a fixed user in the root group, which owns no privilege."""

CHECKS = "/opt/checks"
"""Where the image keeps the small programs that ask the database without loading Airflow."""

SMALL = Resources(
    requests=Quantities(cpu="10m", memory="64Mi"), limits=Quantities(cpu="500m", memory="128Mi")
)


def config_map(settings: Settings) -> Manifest:
    """The configuration of all components and task pods."""
    return manifest(
        "v1", "ConfigMap", CONFIG_MAP, settings.namespace, "config", data=plain(settings)
    )


def labels(settings: Settings, component: str) -> dict[str, str]:
    """The labels of a component's pods, which also tell the release that they run."""
    return objects.labels(component) | {"app.kubernetes.io/version": settings.airflow.version}


def rolling(settings: Settings, component: str, *more: Any) -> dict[str, Any]:
    """Metadata of a pod that is rolled when its configuration, or `more` plain data, changes.

    Secrets enter by their revision: a hash of a generated value would be unknown in a preview.
    """
    return {
        "labels": labels(settings, component),
        "annotations": {
            "airflow-kubernetes/config": pods.checksum(plain(settings), *more),
            "airflow-kubernetes/secrets-revision": str(settings.secrets.revision),
        },
    }


def environment(settings: Settings, needs: Iterable[str]) -> list[dict[str, Any]]:
    """The secrets that a component needs (names of the releases table), as variables."""
    release = RELEASES[settings.airflow.version]
    variables = release.secrets
    result: list[dict[str, Any]] = []
    for need in needs:
        variable = variables[need]
        if need == DATABASE:
            result += database.environment(settings, variable)
            if release.async_database is not None:
                result += database.environment(settings, release.async_database, "mysql+aiomysql")
        elif need == RESULTS:
            result += database.environment(settings, variable, "db+mysql+mysqldb")
        elif need == BROKER:
            result += broker.environment(settings, variable)
        else:
            result.append(pods.secret_env(variable, KEYS_SECRET, need))
    # The results are in the metadata database: what both URLs are made of stands once.
    return list({item["name"]: item for item in result}.values())


def container(
    settings: Settings,
    image: str,
    name: str,
    args: Sequence[str],
    needs: Iterable[str],
    resources: Resources,
) -> dict[str, Any]:
    """A container of Airflow's image. The image's entrypoint runs `args` as they are."""
    return {
        "name": name,
        "image": image,
        "args": list(args),
        "envFrom": [{"configMapRef": {"name": CONFIG_MAP}}],
        "env": environment(settings, needs),
        "resources": pods.resources(resources),
        "securityContext": pods.container_security(),
        "volumeMounts": [
            {"name": "logs", "mountPath": f"{HOME}/logs"},
            {"name": "tmp", "mountPath": "/tmp"},
            task_images.MOUNT,
        ],
    }


def wait(settings: Settings, image: str, *flags: str) -> dict[str, Any]:
    """An init container that waits until the database holds this release's schema.

    It makes the order in which objects are applied irrelevant, without crash loops. With
    `--database-only` it waits for the server alone.
    """
    args = ["python", f"{CHECKS}/wait_for_migrations.py", *flags]
    return container(settings, image, "wait-for-migrations", args, [DATABASE], SMALL)


def wait_for_tasks(settings: Settings, image: str) -> dict[str, Any]:
    """An init container of the scheduler: waits for the tasks that another executor still runs.

    After a change of the executor, a scheduler would take them for orphans and run them again.
    """
    args = (
        "python", f"{CHECKS}/wait_for_tasks.py",
        "--timeout", str(settings.airflow.tasks.grace_period),
    )  # fmt: skip
    return container(settings, image, "wait-for-tasks", args, [DATABASE], SMALL)


def fresh(file: str, seconds: int) -> dict[str, Any]:
    """The action of a probe: the file was touched within so many seconds."""
    age = f"$(( $(date +%s) - $(stat -c %Y {file} 2>/dev/null || echo 0) ))"
    return pods.execute("sh", "-c", f"test {age} -lt {seconds}")


def spec(
    settings: Settings,
    account: str,
    containers: list[dict[str, Any]],
    *,
    init: list[dict[str, Any]] | None = None,
    token: bool = False,
    keep_logs: bool = True,
    more_volumes: Iterable[dict[str, Any]] = (),
    grace_period: int | None = None,
) -> dict[str, Any]:
    """A pod of Airflow's image. Without `keep_logs` what it logs to files ends with the pod.

    `grace_period` is in seconds; None is Kubernetes' default of 30.
    """
    tmp, _ = pods.scratch("tmp", "/tmp", "1Gi")
    logs, _ = pods.scratch("logs", f"{HOME}/logs", "1Gi")
    if keep_logs:
        logs = {"name": "logs", "persistentVolumeClaim": {"claimName": LOGS_CLAIM}}
    pod: dict[str, Any] = {
        "serviceAccountName": f"airflow-{account}",
        "automountServiceAccountToken": token,
        "enableServiceLinks": False,
        "securityContext": pods.pod_security(UID, GID, GID),
        "containers": containers,
        "volumes": [logs, tmp, task_images.VOLUME, *more_volumes],
        **pods.pull_secrets(settings),
    }
    if init:
        pod["initContainers"] = init
    if grace_period is not None:
        pod["terminationGracePeriodSeconds"] = grace_period
    return dags.extend(settings, account, pod)
