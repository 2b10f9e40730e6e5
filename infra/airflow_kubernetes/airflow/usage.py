"""The Job that reads how tasks used slots and requests (images/airflow/usage.py)."""

from ..kubernetes.job import job_spec
from ..kubernetes.manifest import Manifest, manifest
from ..kubernetes.rbac import ServiceAccount
from ..settings.schema import Settings
from .image_scripts import FOLDER
from .pod import airflow_container, airflow_job_pod
from .releases import DATABASE, RELEASES

COMPONENT = "usage"
DEADLINE = 900
"""Seconds that the Job may last."""


def usage_job(settings: Settings, name: str, image: str, days: int) -> Manifest:
    """A Job whose log ends with the summary of the last days, as JSON."""
    places = (f"{place}={number}" for place, number in slots(settings).items())
    args = ("python", f"{FOLDER}/usage.py", "--days", str(days), "--slots", *places)
    resources = settings.airflow.jobs.resources
    container = airflow_container(settings, COMPONENT, image, resources, args, (DATABASE,))
    account = ServiceAccount(COMPONENT)
    pod = airflow_job_pod(settings, account, container)
    spec = {
        **job_spec(pod, retries=0),
        "activeDeadlineSeconds": DEADLINE,
        "ttlSecondsAfterFinished": 3600,
    }
    # It has no account of its own: nobody would remove it.
    del spec["template"]["spec"]["serviceAccountName"]
    return manifest("batch/v1", "Job", name, settings.namespace, COMPONENT, spec=spec)


def slots(settings: Settings) -> dict[str, int]:
    """How many tasks can run at any time, by place: the scheduler, the least of each set of
    workers. Task pods are there only while they run.
    """
    airflow = settings.airflow
    executor = RELEASES[airflow.version].executor(airflow.executor)
    found = {}
    if executor.local:
        parallelism = 1 if executor.serial else airflow.parallelism
        found["scheduler"] = airflow.scheduler.replicas * parallelism
    if executor.celery:
        for name, values in airflow.celery.workers.items():
            found[f"worker-{name}"] = values.replicas * values.concurrency
    return found
