"""What Kubernetes reserves for a pod on its node."""

from typing import Any

from ..settings.quantities import amount


def reserved(pod: dict[str, Any], kind: str, resource: str) -> float:
    """The sum of a pod spec's `requests` or `limits` (`kind`) of `cpu` in cores, or `memory` in
    bytes: the greater of side-cars with one init container, and side-cars with all containers.

    https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
    """

    def declared(container: dict[str, Any]) -> float:
        quantities = (container.get("resources") or {}).get(kind) or {}
        return amount(str(quantities.get(resource, 0)))

    sidecars = start = 0.0
    for container in pod.get("initContainers") or []:
        start = max(start, sidecars + declared(container))
        if container.get("restartPolicy") == "Always":
            sidecars += declared(container)
    return max(start, sidecars + sum(map(declared, pod["containers"])))
