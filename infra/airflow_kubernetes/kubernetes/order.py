"""The order of objects: what others name comes first."""

from .manifest import Manifest

ORDER = (
    "Namespace", "PersistentVolumeClaim", "Secret", "ResourceQuota", "LimitRange",
    "ServiceAccount", "Role", "RoleBinding", "ConfigMap", "Service", "StatefulSet", "Job",
    "CronJob", "Deployment", "HorizontalPodAutoscaler",
)  # fmt: skip
"""Kinds in the order of creation."""


def order(obj: Manifest) -> tuple[int, str]:
    """The position of an object among all others: by kind, then by name.

    Raises ValueError for a kind that is not in ORDER: `make down` would not delete it either.
    """
    kind = obj["kind"]
    if kind not in ORDER:
        raise ValueError(
            f"{kind} {obj['metadata']['name']}: add the kind {kind} to ORDER in kubernetes/order.py"
        )
    return ORDER.index(kind), obj["metadata"]["name"]
