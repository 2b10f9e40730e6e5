"""A component's Deployment."""

from collections.abc import Iterable
from typing import Any

from ..kubernetes.manifest import Manifest, manifest, selector
from ..settings.schema import Settings
from . import pods
from .releases import Component

MARGIN = 30
"""Seconds beyond `airflow.tasks.gracePeriod` for what follows a task's end."""

SURGE = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def deployment(
    settings: Settings,
    component: Component,
    replicas: int | None,
    pod: dict[str, Any],
    *,
    name: str | None = None,
    checksum_of: Iterable[Any] = (),
    annotations: dict[str, str] | None = None,
    recreate: bool = False,
    patience: int | None = None,
) -> Manifest:
    """The Deployment of a pod spec, none of it running while Airflow is stopped.

    `replicas` None leaves their number to an autoscaler. `name` tells several of one component
    apart. `checksum_of` is plain data whose change rolls the pods. `patience` (seconds) is how
    long a roll may take (600 by default, for Kubernetes and for Pulumi).
    """
    name = name or component.name
    metadata = pods.rolling(settings, name, *checksum_of)
    metadata["annotations"] |= annotations or {}
    if settings.airflow.stopped:
        replicas = 0
    return manifest(
        "apps/v1",
        "Deployment",
        f"airflow-{name}",
        settings.namespace,
        name,
        annotations={
            # Replicas that an autoscaler or a hand set are taken over, as by the kubectl engine;
            # else `airflow.stopped` would end in a conflict.
            "pulumi.com/patchForce": "true",
            **({"pulumi.com/timeoutSeconds": str(patience)} if patience else {}),
        },
        spec={
            **({} if replicas is None else {"replicas": replicas}),
            "revisionHistoryLimit": 3,
            **({"progressDeadlineSeconds": patience} if patience else {}),
            "selector": {"matchLabels": selector(name)},
            "strategy": {"type": "Recreate"} if recreate else SURGE,
            "template": {"metadata": metadata, "spec": pod},
        },
    )
