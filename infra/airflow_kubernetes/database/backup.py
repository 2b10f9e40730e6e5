"""Backups of the metadata database: dumps on a volume of their own, taken and restored by Jobs.

The scripts next to this module do the work, in MySQL's image; for an external database it is only
the client. scripts/database.sh describes what a backup consists of.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..kubernetes.env import plain_env
from ..kubernetes.job import job_spec
from ..kubernetes.manifest import Manifest, labels, manifest
from ..kubernetes.pod import Container, Pod, scratch, volume
from ..kubernetes.pod_settings import server_extras
from ..kubernetes.pull_secret import pull_secrets
from ..kubernetes.rbac import ServiceAccount
from ..kubernetes.storage import claim_manifest
from ..settings.schema import Settings
from . import connection
from .mysql import UID

COMPONENT = "backup"
NAME, CLAIM = "airflow-backup", "airflow-backups"
KINDS = ("manual", "scheduled", "release", "before-restore")
"""Why a backup was taken; part of its name. Of each kind the newest `keep` stay."""

SCRIPTS = Path(__file__).parent / "scripts"
BACKUP, RESTORE = "backup.sh", "restore.sh"
DAY = 24 * 3600
DEADLINE = 6 * 3600
"""Seconds that taking a backup may last; a large database is dumped at some megabytes a second.

A pod that cannot start would otherwise prevent all later scheduled backups."""


def backup_manifests(settings: Settings) -> Iterator[Manifest]:
    """The volume's claim, the scripts, their service account and the schedule, if there is one."""
    values = settings.database.backup
    namespace = settings.namespace
    yield claim_manifest(settings, CLAIM, COMPONENT, values.claim)
    scripts = {file.name: file.read_text(encoding="utf-8") for file in sorted(SCRIPTS.iterdir())}
    yield manifest("v1", "ConfigMap", NAME, namespace, COMPONENT, data=scripts)
    yield from account(settings).manifests(namespace)
    if values.schedule is not None:
        pod = backup_pod(settings, settings.airflow.version, BACKUP, "scheduled")
        yield manifest(
            "batch/v1",
            "CronJob",
            NAME,
            namespace,
            COMPONENT,
            spec={
                "schedule": values.schedule,
                "timeZone": "Etc/UTC",
                "concurrencyPolicy": "Forbid",
                # A cluster that was down at the time takes the backup when it is up again.
                "startingDeadlineSeconds": DAY // 2,
                "successfulJobsHistoryLimit": 3,
                "failedJobsHistoryLimit": 3,
                "jobTemplate": {
                    "metadata": {"labels": labels(COMPONENT)},
                    "spec": {**job_spec(pod, retries=0), "activeDeadlineSeconds": DEADLINE},
                },
            },
        )


def account(settings: Settings) -> ServiceAccount:
    """The service account of all Jobs for backups."""
    return ServiceAccount(COMPONENT, values=settings.database.backup.service_account)


def backup_job(settings: Settings, name: str, kind: str, release: str) -> Manifest:
    """A Job `name` that takes a backup of a `kind` (one of KINDS) and records `release` in it."""
    job = _one_off(settings, name, backup_pod(settings, release, BACKUP, kind))
    job["spec"]["activeDeadlineSeconds"] = DEADLINE
    return job


def check_job(settings: Settings, name: str) -> Manifest:
    """A Job `name` that fails if no backup can be taken; its pod is like that of a backup."""
    return _one_off(settings, name, backup_pod(settings, settings.airflow.version, "check.sh"))


def restore_job(settings: Settings, name: str, backup: str, into: str, release: str) -> Manifest:
    """A Job `name` that loads `backup` into the database `into`.

    A restore into the environment's own database first takes a backup of it; `release` is what
    that backup records.
    """
    return _one_off(settings, name, backup_pod(settings, release, RESTORE, backup, into))


def list_job(settings: Settings, name: str) -> Manifest:
    """A Job `name` whose log lists the complete backups and what is free on their volume."""
    return _one_off(settings, name, backup_pod(settings, settings.airflow.version, "list.sh"))


def delete_job(settings: Settings, name: str, backups: Sequence[str]) -> Manifest:
    """A Job `name` that deletes `backups`."""
    return _one_off(
        settings, name, backup_pod(settings, settings.airflow.version, "delete.sh", *backups)
    )


def is_at_work(job: Manifest) -> bool:
    """Whether a Job takes a backup or restores one.

    One whose pod has not started takes none yet; a restore counts from its creation to its end.
    """
    script = job["spec"]["template"]["spec"]["containers"][0]["args"][1:2]
    return not has_ended(job) and (
        script == [_path(RESTORE)] or (script == [_path(BACKUP)] and has_started(job))
    )


def has_started(job: Manifest) -> bool:
    """Whether a pod of a Job runs."""
    return bool(job.get("status", {}).get("ready"))


def has_ended(job: Manifest) -> bool:
    """Whether a Job has succeeded or failed for good."""
    return any(
        condition["type"] in ("Complete", "Failed") and condition["status"] == "True"
        for condition in job.get("status", {}).get("conditions", [])
    )


def _one_off(settings: Settings, name: str, pod: Pod) -> Manifest:
    """A Job that no engine manages. Kubernetes deletes it a day after its end.

    It is not retried: a second try would meet the same obstacle, which is in the log.
    """
    spec = {**job_spec(pod, retries=0), "ttlSecondsAfterFinished": DAY}
    return manifest("batch/v1", "Job", name, settings.namespace, COMPONENT, spec=spec)


def backup_pod(settings: Settings, release: str, script: str, *arguments: str) -> Pod:
    """A pod that runs a script; `release` is what a backup records."""
    values = settings.database.backup
    return Pod(
        component=COMPONENT,
        account=account(settings),
        container=Container(
            name=COMPONENT,
            image=settings.database.cluster.image,
            resources=values.resources,
            args=("bash", _path(script), *arguments),
            env=(
                *connection.client_env(settings),
                *plain_env({"RELEASE": release, "KEEP": str(values.keep)}),
            ),
        ),
        parts=(
            volume("backups", "/backups", {"persistentVolumeClaim": {"claimName": CLAIM}})
            + volume("scripts", "/scripts", {"configMap": {"name": NAME}}, readOnly=True)
            + scratch("tmp", "/tmp", "64Mi")
        ),
        user=UID,
        group=UID,
        pull_secrets=pull_secrets(settings),
        restart_policy="Never",
        extras=server_extras(settings, values),
    )


def _path(script: str) -> str:
    return f"/scripts/{script}"
