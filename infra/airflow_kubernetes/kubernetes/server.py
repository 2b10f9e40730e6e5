"""A server of one replica that clients reach by a Service: a database, a broker."""

from collections.abc import Iterator
from typing import Any

from ..settings.schema import Settings
from .manifest import DO_NOT_AWAIT, Manifest, labels, manifest, selector
from .rbac import account


def objects(
    settings: Settings, name: str, component: str, port: int, pod: dict[str, Any]
) -> Iterator[Manifest]:
    """Its account, its Service, and the StatefulSet of a pod spec.

    A StatefulSet, because a volume may not have two pods at a time; its claim is an object of its
    own, because changing a volumeClaimTemplate replaces the StatefulSet.
    """
    namespace = settings.namespace
    yield account(namespace, component)
    yield manifest(
        "v1",
        "Service",
        name,
        namespace,
        component,
        annotations=DO_NOT_AWAIT,
        spec={
            "selector": selector(component),
            "ports": [{"name": component, "port": port, "targetPort": port}],
        },
    )
    revision = {"airflow-kubernetes/secrets-revision": str(settings.secrets.revision)}
    yield manifest(
        "apps/v1",
        "StatefulSet",
        name,
        namespace,
        component,
        spec={
            "replicas": 1,
            "serviceName": name,
            "selector": {"matchLabels": selector(component)},
            "template": {
                "metadata": {"labels": labels(component), "annotations": revision},
                "spec": pod,
            },
        },
    )
