"""The Deployment of a long-running component."""

from ..kubernetes.manifest import Manifest, manifest, selector
from ..kubernetes.pod import Pod
from ..settings.schema import Settings

SURGE = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def deployment(
    settings: Settings,
    pod: Pod,
    replicas: int | None,
    *,
    recreate: bool = False,
    patience: int | None = None,
) -> Manifest:
    """The Deployment of a pod, with no replicas while Airflow is stopped.

    `replicas` None leaves their number to an autoscaler. More than one are spread over nodes. With
    `recreate`, old pods end before new ones start. `patience` is how many seconds a roll may take:
    600 by default, in Kubernetes and in Pulumi.
    """
    template = pod.template(replicated=replicas is None or replicas > 1)
    if settings.airflow.stopped:
        replicas = 0
    # Under Pulumi too, the program overrides replicas that an autoscaler or a person has set;
    # else `airflow.stopped` would end in a conflict.
    annotations = {"pulumi.com/patchForce": "true"}
    spec = {
        "revisionHistoryLimit": 3,
        "selector": {"matchLabels": selector(pod.component)},
        "strategy": {"type": "Recreate"} if recreate else SURGE,
        "template": template,
    }
    if replicas is not None:
        spec["replicas"] = replicas
    if patience is not None:
        annotations["pulumi.com/timeoutSeconds"] = str(patience)
        spec["progressDeadlineSeconds"] = patience
    return manifest(
        "apps/v1",
        "Deployment",
        f"airflow-{pod.component}",
        settings.namespace,
        pod.component,
        annotations=annotations,
        spec=spec,
    )
