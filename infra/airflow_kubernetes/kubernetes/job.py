"""Jobs: a pod that runs to its end."""

from typing import Any

from .pod import Pod


def job_spec(pod: Pod, *, retries: int) -> dict[str, Any]:
    """A Job's spec. A pod that was taken away with its node does not count as failed."""
    disruption = {"type": "DisruptionTarget", "status": "True"}
    return {
        "backoffLimit": retries,
        "podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": [disruption]}]},
        "template": pod.template(),
    }
