"""The namespaces: each enforces Pod Security `restricted`."""

from .manifest import Manifest, manifest

ENGINE = "airflow-kubernetes/engine"
"""Annotation with the engine that made the namespace; another engine would make new secrets."""

LAUNCHED = "launched-pods"
"""The component of the namespace of launched pods, and of what it holds."""

SUFFIX = "-tasks"


def tasks_namespace(namespace: str) -> str:
    """The name of the namespace of the pods that tasks launch."""
    return f"{namespace}{SUFFIX}"


def namespace(name: str, engine: str) -> Manifest:
    """Airflow's Namespace; it records the `engine` that made it, pulumi or kubectl."""
    return _enforcing(name, "namespace", {ENGINE: engine})


def launched_pods_namespace(namespace: str) -> Manifest:
    """The Namespace of the pods that tasks of the Airflow in `namespace` launch.

    Protected, because users create the Secrets and claims of those pods in it.
    """
    return _enforcing(tasks_namespace(namespace), LAUNCHED, None)


def stays(obj: Manifest) -> bool:
    """Whether an object that is no longer wanted is left in the cluster, unmanaged.

    The namespace of launched pods is: what users created in it would be deleted with it.
    """
    return bool(obj["kind"] == "Namespace" and labelled_for_launched_pods(obj))


def labelled_for_launched_pods(obj: Manifest) -> bool:
    """Whether the object is of the component LAUNCHED."""
    labels = obj["metadata"].get("labels", {})
    return bool(labels.get("app.kubernetes.io/component") == LAUNCHED)


def _enforcing(name: str, component: str, annotations: dict[str, str] | None) -> Manifest:
    obj = manifest(
        "v1", "Namespace", name, None, component, protected=True, annotations=annotations
    )
    obj["metadata"]["labels"] |= {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
    }
    return obj
