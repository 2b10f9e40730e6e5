"""The replicas of Airflow's Deployments, which an upgrade sets to zero and back."""

import json

from ..kubernetes.manifest import Manifest
from . import autoscalers, installed_release
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
    """Let KEDA begin, and scale up from zero what is scaled by CPU.

    No other autoscaler acts at zero, where an upgrade left everything. The number is not in the
    program's objects, so no engine sets it.
    """
    autoscalers.resume(target)
    minimum = autoscalers.minimum(target)
    for name, deployment in deployments(target).items() if minimum else ():
        if name in minimum and deployment["spec"]["replicas"] == 0:
            scale(target, name, minimum[name])
