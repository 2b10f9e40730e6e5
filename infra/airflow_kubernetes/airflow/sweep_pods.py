"""The CronJob that deletes the pods which tasks leave: failed ones after a time, and what a dead
scheduler left.
"""

from collections.abc import Iterator

from ..kubernetes.job import job_spec
from ..kubernetes.manifest import Manifest, labels, manifest
from ..kubernetes.rbac import ServiceAccount
from ..settings.schema import Settings
from . import rbac
from .image_scripts import FOLDER, SMALL
from .pod import airflow_container, airflow_job_pod

COMPONENT = "sweep-pods"
SCHEDULE = "*/10 * * * *"
DEADLINE = 540
"""Seconds that one sweep may last: the next one comes then."""

GIVEN_UP = 3
"""How many times `pendingTimeout` a scheduler waits for a task's pods, one after another."""


def sweep_pods_manifests(settings: Settings, image: str) -> Iterator[Manifest]:
    """The CronJob with its service account and Role."""
    tasks = settings.airflow.tasks
    account = ServiceAccount(
        COMPONENT, rbac.SWEEP_PODS, values=settings.airflow.jobs.service_account
    )
    yield from account.manifests(settings.namespace)
    args = (
        *("python", f"{FOLDER}/sweep_pods.py"),
        *("--keep-failed", str(tasks.failed_pod_retention)),
        *("--pending", str(GIVEN_UP * tasks.pending_timeout + DEADLINE)),
    )
    container = airflow_container(settings, COMPONENT, image, SMALL, args, ())
    pod = airflow_job_pod(settings, account, container, evictable=True)
    yield manifest(
        "batch/v1",
        "CronJob",
        account.name,
        settings.namespace,
        COMPONENT,
        spec={
            "schedule": SCHEDULE,
            "concurrencyPolicy": "Forbid",
            "suspend": settings.airflow.stopped,
            # Its pods are no part of what runs: they are gone when they have done their work.
            "successfulJobsHistoryLimit": 0,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {
                "metadata": {"labels": labels(COMPONENT)},
                "spec": {**job_spec(pod, retries=0), "activeDeadlineSeconds": DEADLINE},
            },
        },
    )
