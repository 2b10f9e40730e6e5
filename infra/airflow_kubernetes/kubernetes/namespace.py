"""The namespace: it refuses pods that break Pod Security `restricted` and names its engine."""

from .manifest import Manifest, manifest

ENGINE = "airflow-kubernetes/engine"
"""Annotation that records which engine made the namespace; a second one would make new secrets."""


def namespace(name: str, engine: str) -> Manifest:
    """The Namespace; `engine` is pulumi or kubectl."""
    obj = manifest(
        "v1",
        "Namespace",
        name,
        None,
        "namespace",
        protected=True,
        annotations={ENGINE: engine},
    )
    obj["metadata"]["labels"] |= {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
    }
    return obj
