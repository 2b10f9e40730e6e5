"""Rules about what the values add to pods: it must not collide with what they have."""

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from ..broker import redis
from ..database import backup, mysql
from ..kubernetes.pod import Pod
from ..kubernetes.pod_settings import only
from ..settings.problems import Fault, Path
from ..settings.schema import (
    AccountSettings,
    ContainerFields,
    ExtraContainer,
    PodFields,
    PodSettings,
    Settings,
    TaskProfile,
    Volume,
    VolumeMount,
)
from ..settings.sections import named, sections
from . import dags, task_pod
from .configuration import HOME, reserved
from .pod import folders
from .releases import RELEASES

Layer = tuple[Path, PodSettings]

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

CLAIMS = (backup.CLAIM, mysql.NAME, redis.NAME)

VARIABLES = {
    "ADMIN_PASSWORD", "AIRFLOW_CONFIG", "AIRFLOW_CONN_GIT_DAGS", "AIRFLOW_HOME",
    "AIRFLOW_IS_K8S_EXECUTOR_POD", "AIRFLOW_USER_HOME", "AIRFLOW_VERSION", "BROKER_PASSWORD",
    "DAG_IMAGE", "DATABASE_PASSWORD", "DATABASE_USER", "FLOWER_PASSWORD", "GIT_ASKPASS",
    "GIT_PASSWORD", "GIT_SERVER", "GIT_USERNAME", "KUBERNETES_QUEUE_EXECUTOR", "PATH",
    "PRIORITY_CLASSES_KEPT_FROM_DAGS", "TASK_DISRUPTION_RETRIES", "TASK_IMAGE", "TASK_IMAGES",
    "TASK_PRIORITY_CLASS", "TASK_PROFILES", "TASK_PROFILES_QUEUE", "TASK_PULL_SECRETS",
    "TASK_QUEUES",
}  # fmt: skip
"""Variables that pods have with some executor or source of DAG code, or that the image sets."""

CONTAINERS = {
    "base", "create-admin", "deletion-cost", "fetch-dags", "git-sync", "guard-release",
    "migrations", "pending-pods", "sweep-pods", "sync-bundles", "usage", "wait-for-migrations",
    "wait-for-tasks",
}  # fmt: skip
"""Containers that pods have, next to the one of their component, with some executor or source of
DAG code."""

LABELS = {
    "airflow-worker", "airflow_executor_done", "airflow_kpo_in_cluster", "airflow_pod_revoked",
    "airflow_version", "controller-revision-hash", "controller-uid", "dag_id", "execution_date",
    "job-name", "kubernetes_executor", "logical_date", "map_index", "pod-template-hash", "run_id",
    "task_id", "try_number",
    *(f"app.kubernetes.io/{name}" for name in ("component", "name", "part-of", "version")),
}  # fmt: skip
"""Labels by which this program, Kubernetes' controllers and KubernetesExecutor find objects."""

OF_CONTROLLERS = ("apps.kubernetes.io/", "batch.kubernetes.io/", "statefulset.kubernetes.io/")
OF_PROGRAM = "airflow-kubernetes/"

ANNOTATIONS = 250 * 1024
"""Bytes of all annotations (k8s.io/apimachinery: TotalAnnotationSizeLimitB), less those that pods
have anyway."""


@dataclass(frozen=True)
class Own:
    """What pods of one image have of the program's: names of variables, or what they begin with,
    of volumes and containers; folders in which nothing else may be.

    `shared`: volumes that other containers of the pod may mount, too.
    """

    variables: frozenset[str]
    volumes: frozenset[str]
    folders: tuple[str, ...]
    containers: frozenset[str]
    prefixes: tuple[str, ...] = ()
    shared: frozenset[str] = frozenset()


def of_airflow(settings: Settings) -> Own:
    """With any executor and either source of DAG code: a change of these must not fail."""
    code = dags.parts(settings, "")
    parts = folders() + code + task_pod.TEMPLATE_FILE
    release = RELEASES[settings.airflow.version]
    components = {
        release.web.component.name, release.scheduler.name, release.dag_processor.name,
        release.triggerer.name, release.worker.name, release.flower.name,
    }  # fmt: skip
    return Own(
        frozenset(VARIABLES | reserved(settings) | {item["name"] for item in code.env}),
        frozenset(item["name"] for item in parts.volumes),
        (*(item["mountPath"] for item in parts.mounts), *IN_IMAGE),
        frozenset(CONTAINERS | components | {item.name for item in code.init}),
        shared=frozenset({"logs"}),
    )


def of_server(pod: Pod, *prefixes: str) -> Own:
    """Of MySQL, Redis and backups."""
    return Own(
        frozenset({"PATH", *(item["name"] for item in pod.container.env or ())}),
        frozenset(item["name"] for item in pod.parts.volumes),
        tuple(item["mountPath"] for item in pod.parts.mounts),
        frozenset({pod.container.name}),
        prefixes,
    )


def problems(settings: Settings) -> Iterator[Fault]:
    """Path and message of every collision. The release and the executor are known ones."""
    for path, account in sections(AccountSettings, settings):
        yield from _own_keys(path, account.labels, {"annotations": account.annotations})
    for path, profile in sections(TaskProfile, settings):
        yield from _own_keys(path, profile.labels, {"podAnnotations": profile.pod_annotations})
    mounted = {mount.name for _, mount in sections(VolumeMount, settings)}
    for path, volume in sections(Volume, settings):
        if volume.mount_path is None and volume.name not in mounted:
            yield path, "is mounted nowhere; set mountPath, or name it in volumeMounts"
    for own, layers in pods(settings):
        yield from _metadata(layers)
        yield from _variables(layers, own)
        yield from _volumes(layers, own)
        yield from _containers(layers, own)
        yield from _claims(layers)


def _metadata(layers: Sequence[Layer]) -> Iterator[Fault]:
    for path, section in layers:
        yield from _own_keys(path, section.labels, {"podAnnotations": section.pod_annotations})
    annotations = reduce(or_, (section.pod_annotations for _, section in layers))
    if sum(len(f"{key}{value}".encode()) for key, value in annotations.items()) > ANNOTATIONS:
        yield (
            (*layers[-1][0], "podAnnotations"),
            "are more than the 250 KiB that a pod can have; make them smaller",
        )


def _own_keys(
    path: Path, labels: Iterable[str], annotations: Mapping[str, Iterable[str]]
) -> Iterator[Fault]:
    """Labels and annotations that are not the user's to set; these by the name of their setting."""
    for key in labels:
        if key in LABELS or key.startswith((OF_PROGRAM, *OF_CONTROLLERS)):
            yield (
                (*path, "labels", key),
                "this program, Kubernetes or Airflow find objects by it; use another key",
            )
    for setting, keys in annotations.items():
        for key in keys:
            if key.startswith(OF_PROGRAM):
                yield (*path, setting, key), "set by this program; use another key"


def _variables(layers: Sequence[Layer], own: Own) -> Iterator[Fault]:
    for path, section in layers:
        for name in section.env:
            if name in own.variables or (own.prefixes and name.startswith(own.prefixes)):
                message = "set by this program; use another name"
            elif name.upper().startswith("AIRFLOW__"):
                message = (
                    "is an option of Airflow: set it in airflow.configuration, for all components"
                )
            elif name.startswith("KUBERNETES_"):
                message = "Kubernetes sets variables with this beginning itself; use another name"
            else:
                continue
            yield (*path, "env", name), message


def _volumes(layers: Sequence[Layer], own: Own) -> Iterator[Fault]:
    """Names of volumes, and the mounts of the main container."""
    names: set[str] = set()
    taken: set[str] = set()
    for path, section in layers:
        for index, volume in enumerate(section.volumes):
            if volume.name in own.volumes | names:
                yield (
                    (*path, "volumes", index, "name"),
                    f"the pods have a volume {volume.name} already; use another name",
                )
            names.add(volume.name)
        for key, mounts in (("volumes", section.volumes), ("volumeMounts", section.volume_mounts)):
            yield from _mounts((*path, key), mounts, taken, own.folders)
    for path, section in layers:
        yield from _unknown((*path, "volumeMounts"), section.volume_mounts, names)


def _containers(layers: Sequence[Layer], own: Own) -> Iterator[Fault]:
    """Names and mounts of init containers and side-cars."""
    volumes = own.shared | {item.name for _, section in layers for item in section.volumes}
    names: set[str] = set()
    for path, section in layers:
        groups: dict[str, Sequence[ExtraContainer]] = {
            "extraContainers": section.extra_containers,
            "extraInitContainers": section.extra_init_containers,
        }
        for key, containers in groups.items():
            for index, container in enumerate(containers):
                place = (*path, key, index)
                if container.name in own.containers | names:
                    yield (
                        (*place, "name"),
                        f"the pods have a container {container.name} already; use another name",
                    )
                names.add(container.name)
                mounts = (*place, "volumeMounts")
                yield from _mounts(mounts, container.volume_mounts, set(), ())
                yield from _unknown(mounts, container.volume_mounts, volumes)


def _unknown(
    path: Path, mounts: Sequence[VolumeMount], volumes: Collection[str]
) -> Iterator[Fault]:
    for index, mount in enumerate(mounts):
        if mount.name not in volumes:
            yield (
                (*path, index, "name"),
                f"there is no volume {mount.name}; add it to volumes of the same section, or of "
                f"pods: {', '.join(sorted(volumes)) or 'none'} exist",
            )


def _mounts(
    path: Path, mounts: Sequence[Volume | VolumeMount], taken: set[str], folders: Sequence[str]
) -> Iterator[Fault]:
    """What is wrong with the paths of mounts in a container, where some are `taken` already and
    some `folders` are the program's.
    """
    for index, mount in enumerate(mounts):
        if mount.mount_path is None:
            continue
        place = posixpath.normpath(f"/{mount.mount_path.lstrip('/')}")
        key, remedy = (*path, index, "mountPath"), f"use another path, such as /data/{mount.name}"
        if place in taken:
            yield key, f"another volume is at {place}; {remedy}"
        elif kept := [each for each in (*folders, *OF_KUBERNETES) if _nested(place, each)]:
            yield (
                key,
                f"{place} is, contains or is inside {kept[0]}, which the pods use themselves; "
                f"{remedy}",
            )
        elif OF_DEBIAN.fullmatch(place):
            yield key, f"would hide {place} of the image; {remedy}"
        taken.add(place)


def _nested(path: str, folder: str) -> bool:
    """Whether they are the same folder, or one is inside the other."""
    return posixpath.commonpath([path, folder]) in (path, folder)


def _claims(layers: Sequence[Layer]) -> Iterator[Fault]:
    for path, section in layers:
        for place, kind, name in named(section, path):
            if kind == "PersistentVolumeClaim" and name in CLAIMS:
                yield place, f"{name} is a claim of this program's own, which no other pod may use"


def pods(settings: Settings) -> Iterator[tuple[Own, list[Layer]]]:
    """Of each section, what its pods have, and all sections that add to them."""
    general, tasks = (("pods",), settings.pods), settings.airflow.tasks
    of_airflow_image = of_airflow(settings)
    for path, section in sections(PodSettings, settings):
        if path == ("pods",):
            yield of_airflow_image, [general]
        elif path[0] == "airflow":
            runs_tasks = path[:3] == ("airflow", "celery", "workers") or path[1:] == ("scheduler",)
            more = [(("airflow", "tasks"), only(ContainerFields, tasks))] if runs_tasks else []
            yield of_airflow_image, [general, *more, (path, section)]
        elif (own := _of_server(settings, path)) is not None:
            yield own, [(("pods",), only(PodFields, settings.pods)), (path, section)]


def _of_server(settings: Settings, path: Path) -> Own | None:
    if path == ("broker", "cluster"):
        return of_server(redis.pod(settings))
    if path == ("database", "cluster"):
        return of_server(mysql.pod(settings), "MYSQL_")
    external = settings.database.external
    if settings.database.mode == "external" and None in (external.host, external.secret):
        return None  # has a problem of its own
    pod = backup.backup_pod(settings, settings.airflow.version, backup.BACKUP)
    return of_server(pod)
