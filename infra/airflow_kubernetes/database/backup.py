"""Backups of the metadata database: dumps on a volume of their own, taken and restored by Jobs.

The work is done by the scripts beside this module, in MySQL's image (also for an external database:
there it is only the client). What a backup consists of is told in scripts/database.sh.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..kubernetes import pods
from ..kubernetes.manifest import Manifest, labels, manifest
from ..kubernetes.rbac import account
from ..kubernetes.storage import claim_spec
from ..settings.schema import Settings
from . import connection
from .mysql import UID

COMPONENT = "backup"
NAME, CLAIM = "airflow-backup", "airflow-backups"
KINDS = ("manual", "scheduled", "release", "before-restore")
"""Why a backup was taken; part of its name. Only scheduled ones are ever deleted."""

SCRIPTS = Path(__file__).parent / "scripts"
DAY = 24 * 3600


def objects(settings: Settings) -> Iterator[Manifest]:
    """The volume's claim, the scripts, their account and the schedule, if there is one."""
    wanted = settings.database.backup
    namespace = settings.namespace
    yield manifest(
        "v1",
        "PersistentVolumeClaim",
        CLAIM,
        namespace,
        COMPONENT,
        protected=True,
        spec=claim_spec(wanted.claim.size, wanted.claim.storage_class, "ReadWriteOnce"),
    )
    scripts = {file.name: file.read_text(encoding="utf-8") for file in sorted(SCRIPTS.iterdir())}
    yield manifest("v1", "ConfigMap", NAME, namespace, COMPONENT, data=scripts)
    yield account(namespace, COMPONENT)
    if wanted.schedule is not None:
        yield manifest(
            "batch/v1",
            "CronJob",
            NAME,
            namespace,
            COMPONENT,
            spec={
                "schedule": wanted.schedule,
                "timeZone": "Etc/UTC",
                "concurrencyPolicy": "Forbid",
                # A cluster that was down at the time makes up for it when it is back.
                "startingDeadlineSeconds": DAY // 2,
                "successfulJobsHistoryLimit": 3,
                "failedJobsHistoryLimit": 3,
                "jobTemplate": {
                    "metadata": {"labels": labels(COMPONENT)},
                    "spec": _job(settings, settings.airflow.version, "backup.sh", "scheduled"),
                },
            },
        )


def backup_job(settings: Settings, name: str, kind: str, release: str) -> Manifest:
    """A Job `name` that takes a backup of a `kind` (one of KINDS) and notes `release` in it."""
    return _one_off(settings, name, _job(settings, release, "backup.sh", kind))


def restore_job(settings: Settings, name: str, backup: str, into: str, release: str) -> Manifest:
    """A Job `name` that loads `backup` into the database `into`.

    `release` is the one whose data a restore into the environment's own database replaces: the
    before-restore backup notes it.
    """
    return _one_off(settings, name, _job(settings, release, "restore.sh", backup, into))


def list_job(settings: Settings, name: str) -> Manifest:
    """A Job `name` whose log is the list of the complete backups."""
    return _one_off(settings, name, _job(settings, settings.airflow.version, "list.sh"))


def _one_off(settings: Settings, name: str, spec: dict[str, Any]) -> Manifest:
    """Beside the program's own objects: no engine knows it, and it goes a day after its end."""
    spec["ttlSecondsAfterFinished"] = DAY
    return manifest("batch/v1", "Job", name, settings.namespace, COMPONENT, spec=spec)


def _job(settings: Settings, release: str, *command: str) -> dict[str, Any]:
    wanted = settings.database.backup
    script, *arguments = command
    tmp, tmp_mount = pods.scratch("tmp", "/tmp", "64Mi")
    container = {
        "name": COMPONENT,
        "image": settings.database.cluster.image,
        "args": ["bash", f"/scripts/{script}", *arguments],
        "env": [
            *connection.client(settings),
            *pods.plain_env({"RELEASE": release, "KEEP": str(wanted.keep)}),
        ],
        "resources": pods.resources(wanted.resources),
        "securityContext": pods.container_security(),
        "volumeMounts": [
            {"name": "backups", "mountPath": "/backups"},
            {"name": "scripts", "mountPath": "/scripts", "readOnly": True},
            tmp_mount,
        ],
    }
    return {
        # A second try would find what the first one found; the reason is in the log.
        "backoffLimit": 0,
        "podFailurePolicy": pods.IGNORE_DISRUPTION,
        "template": {
            "metadata": {"labels": labels(COMPONENT)},
            "spec": {
                "serviceAccountName": NAME,
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "restartPolicy": "Never",
                "securityContext": pods.pod_security(UID, UID, UID),
                "containers": [container],
                "volumes": [
                    {"name": "backups", "persistentVolumeClaim": {"claimName": CLAIM}},
                    {"name": "scripts", "configMap": {"name": NAME}},
                    tmp,
                ],
                **pods.pull_secrets(settings),
            },
        },
    }
