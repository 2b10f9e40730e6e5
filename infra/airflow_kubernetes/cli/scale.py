"""The replicas of Airflow's Deployments, which an upgrade sets to zero and back."""

import json

from ..kubernetes.manifest import Manifest
from . import installed_release
from .target import Target


def deployments(target: Target) -> dict[str, Manifest]:
    """Airflow's Deployments by name."""
    found = target.kubectl.get("deployments", installed_release.AIRFLOW)
    return {deployment["metadata"]["name"]: deployment for deployment in found}


def scale(target: Target, name: str, replicas: int) -> None:
    """Set a Deployment's replicas."""
    patch = json.dumps({"spec": {"replicas": replicas}})
    target.kubectl.run("patch", "deployment", name, "--patch", patch)


def wake(target: Target) -> None:
    """Scale autoscaled workers up from zero: no autoscaler acts there, and an upgrade left them so.

    Their number is not in the program's objects, so no engine sets it.
    """
    scalers = target.kubectl.get("horizontalpodautoscalers", installed_release.AIRFLOW)
    minimum = {
        scaler["spec"]["scaleTargetRef"]["name"]: scaler["spec"]["minReplicas"]
        for scaler in scalers
    }
    for name, deployment in deployments(target).items() if minimum else ():
        if name in minimum and deployment["spec"]["replicas"] == 0:
            scale(target, name, minimum[name])
