"""The order of objects: what others name comes first."""

from .manifest import Manifest

ORDER = (
    "Namespace", "PersistentVolumeClaim", "Secret", "ResourceQuota", "LimitRange",
    "ServiceAccount", "Role", "RoleBinding", "ConfigMap", "Service", "StatefulSet", "Job",
    "CronJob", "Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget",
)  # fmt: skip
"""Kinds in the order of creation."""

OF_KEDA = ("TriggerAuthentication", "ScaledObject")
"""Kinds that a cluster has only with KEDA, which come after all others."""


def order(obj: Manifest) -> tuple[int, str]:
    """The position of an object among all others: by kind, then by name.

    Raises ValueError for a kind that is not in ORDER: `make down` would not delete it either.
    """
    kind = obj["kind"]
    kinds = (*ORDER, *OF_KEDA)
    if kind not in kinds:
        raise ValueError(
            f"{kind} {obj['metadata']['name']}: add the kind {kind} to ORDER in kubernetes/order.py"
        )
    return kinds.index(kind), obj["metadata"]["name"]
