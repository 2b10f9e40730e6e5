"""What of Airflow runs in the cluster now, whatever the values say."""

from ..kubernetes.metadata import Manifest
from .target import Target

VERSION = "app.kubernetes.io/version"
COMPONENT = "app.kubernetes.io/component"
AT_REST = ("mysql", "redis", "backup")
"""Components that live on while Airflow is stopped; they write nothing into the database."""


def release(here: Target) -> str | None:
    """The release of the scheduler's Deployment; None before the first `up` and after `down`."""
    for obj in here.kubectl.get("deployments", f"--selector={COMPONENT}=scheduler"):
        return str(obj["spec"]["template"]["metadata"]["labels"][VERSION])
    return None


def pods(here: Target) -> list[Manifest]:
    """Airflow's pods that have not ended and may write into the database."""
    return [
        pod
        for pod in here.kubectl.get("pods", "--selector=app.kubernetes.io/name=airflow")
        if component(pod) not in AT_REST
        and pod["status"].get("phase") not in ("Succeeded", "Failed")
    ]


def component(pod: Manifest) -> str:
    """A pod's component: "scheduler", "worker-default", "task" …"""
    return str(pod["metadata"]["labels"][COMPONENT])
