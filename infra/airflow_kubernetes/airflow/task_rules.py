"""Rules about what `airflow.tasks` adds to pods: it must not collide with what they have."""

import posixpath
import re
from collections.abc import Iterator, Sequence

from ..broker.redis import NAME as REDIS
from ..database.backup import CLAIM as BACKUPS
from ..database.mysql import NAME as MYSQL
from ..settings.problems import Fault, Path
from ..settings.schema import Settings, Toleration
from . import dags, task_pod
from .configuration import HOME, reserved
from .pod import folders

VOLUMES: Path = ("airflow", "tasks", "volumes")

IN_IMAGE = (HOME, "/opt/checks", "/opt/venv")
"""Folders of the image without which nothing starts (images/airflow/Dockerfile)."""

OF_KUBERNETES = (
    "/dev/termination-log",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/proc",
    "/run/secrets/kubernetes.io/serviceaccount",
    "/sys",
    "/var/run/secrets/kubernetes.io/serviceaccount",
)

OF_DEBIAN = re.compile(
    # Folders of programs, and all of /dev but shared memory.
    r"/(usr/(local/)?)?s?bin(/.*)?|/dev(/(?!shm(/|$)).*)?"
    # Libraries, and what they read; a volume may be in another folder there.
    r"|/(usr/(local/)?)?lib(32|64|x32)?(/\w+-linux-gnu.*|/python3.*)?|/usr/share(/zoneinfo.*)?"
    # Files, in the place of which there can be no folder.
    r"|/etc(/(group|ld\.so\.(cache|conf)|localtime|mtab|nsswitch\.conf|os-release|passwd|shadow))?"
)
"""What the image has there, it needs."""

CLAIMS = (BACKUPS, MYSQL, REDIS)

VARIABLES = {
    "ADMIN_PASSWORD", "AIRFLOW_CONFIG", "AIRFLOW_CONN_GIT_DAGS", "AIRFLOW_HOME",
    "AIRFLOW_IS_K8S_EXECUTOR_POD", "AIRFLOW_USER_HOME", "AIRFLOW_VERSION", "BROKER_PASSWORD",
    "DAG_IMAGE", "DATABASE_PASSWORD", "DATABASE_USER", "FLOWER_PASSWORD", "GIT_ASKPASS",
    "GIT_PASSWORD", "GIT_SERVER", "GIT_USERNAME", "KUBERNETES_QUEUE_EXECUTOR", "PATH",
    "TASK_DISRUPTION_RETRIES", "TASK_IMAGE", "TASK_IMAGES", "TASK_PULL_SECRET",
}  # fmt: skip
"""Variables that pods have with some executor or source of DAG code, or that the image sets."""


def problems(settings: Settings) -> Iterator[Fault]:
    """Path and message of every collision. The release and the executor are known ones."""
    yield from _variables(settings)
    yield from _volumes(settings)
    tasks, celery = settings.airflow.tasks, settings.airflow.celery
    yield from _tolerations(tasks.tolerations, ("airflow", "tasks", "tolerations"))
    for name, workers in celery.workers.items():
        path = ("airflow", "celery", "workers", name, "tolerations")
        yield from _tolerations(workers.tolerations, path)


def _variables(settings: Settings) -> Iterator[Fault]:
    of_dags = {item["name"] for item in dags.parts(settings, "").env}
    own = VARIABLES | reserved(settings) | of_dags
    for name in settings.airflow.tasks.env:
        if name in own:
            message = "set by this program; use another name"
        elif name.upper().startswith("AIRFLOW__"):
            message = "is an option of Airflow: set it in airflow.configuration, for all components"
        elif name.startswith("KUBERNETES_"):
            message = "Kubernetes sets variables with this beginning itself; use another name"
        else:
            continue
        yield ("airflow", "tasks", "env", name), message


def _volumes(settings: Settings) -> Iterator[Fault]:
    own = folders() + dags.parts(settings, "") + task_pod.TEMPLATE_FILE
    names = {item["name"] for item in own.volumes}
    kept = [*(item["mountPath"] for item in own.mounts), *IN_IMAGE, *OF_KUBERNETES]
    paths: set[str] = set()
    for index, volume in enumerate(settings.airflow.tasks.volumes):
        path = posixpath.normpath(f"/{volume.mount_path.lstrip('/')}")
        remedy = f"use another path, such as /data/{volume.name}"
        if volume.name in names:
            yield (
                (*VOLUMES, index, "name"),
                f"the pods have a volume {volume.name} already; use another name",
            )
        if path in paths:
            yield (*VOLUMES, index, "mountPath"), f"another volume is at {path}; {remedy}"
        elif folders_kept := [folder for folder in kept if _nested(path, folder)]:
            yield (
                (*VOLUMES, index, "mountPath"),
                f"{path} is, contains or is inside {folders_kept[0]}, which the pods use "
                f"themselves; {remedy}",
            )
        elif OF_DEBIAN.fullmatch(path):
            yield (*VOLUMES, index, "mountPath"), f"would hide {path} of the image; {remedy}"
        if volume.claim in CLAIMS:
            yield (
                (*VOLUMES, index, "claim"),
                f"{volume.claim} is a claim of this program's own, which no task may use",
            )
        names.add(volume.name)
        paths.add(path)


def _nested(path: str, folder: str) -> bool:
    """Whether they are the same folder, or one is inside the other."""
    return posixpath.commonpath([path, folder]) in (path, folder)


def _tolerations(tolerations: Sequence[Toleration], path: Path) -> Iterator[Fault]:
    seen: set[tuple[str, ...]] = set()
    for index, item in enumerate(tolerations):
        key = (item.key or "", item.operator, item.value or "", item.effect or "")
        if key in seen:
            yield (*path, index), "tolerates the same as another item; keep one"
        seen.add(key)
