"""The autoscalers of an environment: whether KEDA is there, and what they must not do meanwhile."""

from ..airflow.autoscaling import API, PAUSED
from ..console import say
from ..errors import CommandError
from ..kubectl.client import KubectlError
from ..kubernetes.manifest import Manifest
from ..render import objects
from . import installed_release
from .target import Target

SCALED_OBJECTS = "scaledobjects.keda.sh"


def require_keda(target: Target) -> None:
    """Raises CommandError if the values need KEDA and the cluster has no API of that name."""
    if not target.settings.airflow.keda.enabled:
        return
    try:
        target.kubectl.run("get", "--raw", f"/apis/{API}")
    except KubectlError as error:
        if "NotFound" not in str(error):
            raise
        raise CommandError(
            f"airflow.keda.enabled is set, and the cluster of context {target.kubectl.context} has "
            f"no KEDA (the API {API}). Install KEDA (https://keda.sh/docs/latest/deploy/), or set "
            f"airflow.keda.enabled: false in values/{target.environment}.yaml. Nothing was changed"
        ) from None


def hand_over(target: Target) -> None:
    """Delete the autoscalers that are no longer wanted, before anything else changes.

    KEDA refuses a workload that has another one, and would set the one that it loses to zero.
    """
    present = [*_by_cpu(target), *_by_query(target)]
    rendered = objects(target.environment, target.overrides) if present else []
    wanted = {(obj["kind"], obj["metadata"]["name"]) for obj in rendered}
    for obj in present:
        kind, name = obj["kind"], obj["metadata"]["name"]
        if (kind, name) not in wanted:
            target.kubectl.run("delete", "--ignore-not-found", f"{kind}/{name}")
            say(f"  {kind} {name} deleted (no longer wanted)")


def minimum(target: Target) -> dict[str, int]:
    """The least number of replicas by the name of each Deployment that is scaled by CPU."""
    return {
        scaler["spec"]["scaleTargetRef"]["name"]: scaler["spec"]["minReplicas"]
        for scaler in _by_cpu(target)
    }


def pause(target: Target) -> None:
    """Let KEDA leave at zero what is stopped: it would start workers for queued tasks."""
    _annotate(target, f"{PAUSED}=0")


def resume(target: Target) -> None:
    """Take `pause` back; nothing to do for an autoscaler that Kubernetes itself has."""
    _annotate(target, f"{PAUSED}-")


def _annotate(target: Target, annotation: str) -> None:
    for obj in _by_query(target):
        name = f"{SCALED_OBJECTS}/{obj['metadata']['name']}"
        target.kubectl.run("annotate", "--overwrite", name, annotation)


def _by_query(target: Target) -> list[Manifest]:
    return target.kubectl.get_if_allowed(SCALED_OBJECTS, installed_release.AIRFLOW)


def _by_cpu(target: Target) -> list[Manifest]:
    """This program's own: those that KEDA makes have its ScaledObjects as owners."""
    found = target.kubectl.get("horizontalpodautoscalers", installed_release.AIRFLOW)
    return [obj for obj in found if "ownerReferences" not in obj["metadata"]]
