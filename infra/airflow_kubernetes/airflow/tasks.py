"""What a pod that runs tasks gets, whether it is a task pod, a worker or a scheduler."""

from functools import reduce
from operator import add

from ..kubernetes.env import plain_env
from ..kubernetes.pod import Fields, Parts, volume
from ..settings.schema import Settings, Volume
from .pod import TMP

MARGIN = 30
"""Seconds after `airflow.tasks.gracePeriod` for what follows a task's end."""


def grace_period(settings: Settings) -> int:
    """Seconds that a pod has to end its tasks."""
    return settings.airflow.tasks.grace_period + MARGIN


def parts(settings: Settings) -> Parts:
    """The environment and volumes of `airflow.tasks`.

    Libraries write to the home folder (matplotlib, dbt, snowflake), which is read-only in the
    image: /tmp takes its place, unless `airflow.tasks.env` names another.
    """
    tasks = settings.airflow.tasks
    env = plain_env({"HOME": TMP} | tasks.env)
    return reduce(add, map(_volume, tasks.volumes), Parts(env=env))


def _volume(values: Volume) -> Parts:
    sources = {
        "configMap": ("name", values.config_map),
        "secret": ("secretName", values.secret),
        "persistentVolumeClaim": ("claimName", values.claim),
        "emptyDir": ("sizeLimit", values.empty_dir),
    }
    source: Fields = {
        kind: {key: value} for kind, (key, value) in sources.items() if value is not None
    }
    return volume(values.name, values.mount_path, source, readOnly=values.read_only)
