"""The namespace: enforces Pod Security `restricted` and records the engine that made it."""

from .manifest import Manifest, manifest

ENGINE = "airflow-kubernetes/engine"
"""Annotation with the engine that made the namespace; another engine would make new secrets."""


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
