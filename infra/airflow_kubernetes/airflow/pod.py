"""What all pods of the Airflow image share: user, folders, labels and the reasons to roll them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from ..kubernetes.env import EnvVar, config_map_env
from ..kubernetes.manifest import checksum, secrets_revision
from ..kubernetes.pod import NOTHING, Container, Parts, Pod, scratch
from ..kubernetes.pod_settings import extras, merged
from ..kubernetes.probes import Probes
from ..kubernetes.pull_secret import pull_secrets
from ..kubernetes.rbac import ServiceAccount
from ..settings.schema import PodSettings, Resources, Settings
from . import configuration, logs, task_images
from .credentials import credentials_env

TMP, TMP_SIZE = "/tmp", "1Gi"

UID, GID = 50000, 0
"""As in Apache's own image: a fixed user in the root group, which has no privilege."""


def folders(*, shared_logs: bool = True, tmp: str = TMP_SIZE) -> Parts:
    """The folders of every container; `tmp` is the most that /tmp can have.

    Without `shared_logs`, log files end with the pod.
    """
    return logs.parts(shared=shared_logs) + scratch("tmp", TMP, tmp) + task_images.PARTS


def rolled_by(settings: Settings, *content: Any) -> dict[str, str]:
    """Annotations that roll a pod when its configuration, a Secret or plain `content` changes.

    Secrets are represented by their revision: a preview does not know generated values.
    """
    return {
        "airflow-kubernetes/config": checksum(configuration.plain(settings), *content),
        **secrets_revision(settings.secrets.revision),
    }


def airflow_container(
    settings: Settings,
    name: str,
    image: str,
    resources: Resources,
    args: Sequence[str],
    credentials: Iterable[str],
    *,
    env: Sequence[EnvVar] = (),
    ports: Mapping[str, int] | None = None,
    probes: Probes | None = None,
) -> Container:
    """A container of the Airflow image with Airflow's configuration.

    `credentials` are names of the releases table; `env` are more variables, after theirs.
    """
    return Container(
        name=name,
        image=image,
        resources=resources,
        args=args,
        env=(
            *credentials_env(settings, credentials),
            *configuration.from_secrets(settings),
            *env,
        ),
        env_from=(config_map_env(configuration.CONFIG_MAP),),
        ports=ports or {},
        probes=probes,
    )


def airflow_job_pod(
    settings: Settings,
    account: ServiceAccount,
    container: Container,
    parts: Parts = NOTHING,
    *,
    evictable: bool = False,
) -> Pod:
    """The pod of a Job: it ends, its log with it, and it has what `airflow.jobs` adds."""
    return airflow_pod(
        settings,
        account,
        container,
        settings.airflow.jobs,
        parts,
        shared_logs=False,
        restart_policy="Never",
        evictable=evictable,
    )


def airflow_pod(
    settings: Settings,
    account: ServiceAccount,
    container: Container,
    values: PodSettings,
    parts: Parts = NOTHING,
    *,
    component: str | None = None,
    annotations: Mapping[str, str] | None = None,
    shared_logs: bool = True,
    tmp: str = TMP_SIZE,
    grace_period: int | None = None,
    restart_policy: Literal["Never"] | None = None,
    evictable: bool = False,
) -> Pod:
    """A pod of the Airflow image, with what its own section, `values`, and `pods` add.

    Its component is the account's, unless several share that.
    """
    return Pod(
        component=component or account.component,
        account=account,
        container=container,
        parts=folders(shared_logs=shared_logs, tmp=tmp) + parts,
        user=UID,
        group=GID,
        pull_secrets=pull_secrets(settings),
        version=settings.airflow.version,
        annotations=annotations or {},
        grace_period=grace_period,
        restart_policy=restart_policy,
        evictable=evictable,
        extras=extras(merged(settings.pods, values)),
    )
