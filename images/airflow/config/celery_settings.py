"""Celery's settings (`celery.celery_config_options`): the provider's own, and a sign of life.

The main process of a Celery worker touches HEARTBEAT every two seconds while it is connected to the
broker, so a probe can look at the age of a file. The official `celery inspect ping` loads Airflow
again each time: 7 s of processor time and 157 MB at every probe.

Airflow imports this module where it uses Celery and nowhere else. Only workers send these signals.
"""

from pathlib import Path

from airflow.providers.celery.executors.default_celery import DEFAULT_CELERY_CONFIG
from celery.signals import heartbeat_sent

HEARTBEAT = Path("/tmp/worker-heartbeat")
CELERY_CONFIG = DEFAULT_CELERY_CONFIG


@heartbeat_sent.connect
def _touch(**_: object) -> None:
    HEARTBEAT.touch()
