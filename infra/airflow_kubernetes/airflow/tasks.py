"""What a pod that runs tasks gets, whether it is a task pod, a worker or a scheduler."""

from ..kubernetes.pod_settings import merged, only
from ..settings.schema import ContainerFields, PodSettings, Settings
from .pod import TMP

MARGIN = 30
"""Seconds after `airflow.tasks.gracePeriod` for what follows a task's end."""


def grace_period(settings: Settings) -> int:
    """Seconds that a pod has to end its tasks."""
    return settings.airflow.tasks.grace_period + MARGIN


HOME = PodSettings(env={"HOME": TMP})
"""Libraries write to the home folder (matplotlib, dbt, snowflake), which is read-only in the image:
/tmp takes its place, unless `env` names another."""


def values(settings: Settings, section: PodSettings) -> PodSettings:
    """The section of a worker or a scheduler over what `airflow.tasks` has of containers."""
    return merged(HOME, only(ContainerFields, settings.airflow.tasks), section)
