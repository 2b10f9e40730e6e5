"""A server of one replica behind a Service: a database, a broker."""

from collections.abc import Iterator

from ..settings.schema import Settings
from .manifest import DO_NOT_AWAIT, Manifest, manifest, selector
from .pod import Pod


def server_manifests(settings: Settings, pod: Pod, port: int) -> Iterator[Manifest]:
    """The pod's service account, the Service by which clients reach it, and its StatefulSet.

    A StatefulSet, because a volume may not have two pods at a time; its claim is an object of its
    own, because changing a volumeClaimTemplate replaces the StatefulSet.
    """
    namespace, component = settings.namespace, pod.component
    name = f"airflow-{component}"
    yield from pod.account.manifests(namespace)
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
    yield manifest(
        "apps/v1",
        "StatefulSet",
        name,
        namespace,
        component,
        spec={
            "replicas": 1,
            # By the default policy a pod that never becomes ready is not replaced, even by a
            # corrected template ("Forced rollback" in Kubernetes' documentation).
            "podManagementPolicy": "Parallel",
            "serviceName": name,
            "selector": {"matchLabels": selector(component)},
            "template": pod.template(),
        },
    )
