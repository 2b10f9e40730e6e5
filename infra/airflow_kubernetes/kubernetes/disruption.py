"""PodDisruptionBudgets: how many replicas a drain of nodes may take at a time.

One replica has none: it would block every drain. Nor do task pods, which are waited for anyway
(`airflow.tasks.gracePeriod`).
"""

from collections.abc import Iterator

from ..settings.schema import DisruptionBudget, Settings
from .manifest import Manifest, manifest, selector


def disruption_budget(
    settings: Settings, component: str, replicas: int, values: DisruptionBudget
) -> Iterator[Manifest]:
    """The budget of a component's pods, from two replicas on; `replicas` are the most it may have.

    It does not hold back a pod that is not ready: such a one would block a drain for ever.
    """
    if replicas > 1:
        yield manifest(
            "policy/v1",
            "PodDisruptionBudget",
            f"airflow-{component}",
            settings.namespace,
            component,
            spec={
                "maxUnavailable": values.max_unavailable,
                "selector": {"matchLabels": selector(component)},
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
            },
        )
