"""How Celery reaches its broker."""

from ..kubernetes.env import EnvVar, secret_env
from ..secrets import BROKER_PASSWORD, CELERY_SECRET, value_env
from ..settings.schema import Settings
from .redis import NAME, PORT


def url_env(settings: Settings, variable: str) -> tuple[EnvVar, ...]:
    """The broker's URL as `variable`, after the password that it refers to."""
    if settings.broker.mode == "external":
        secret = settings.broker.external.secret
        if secret is None:
            raise ValueError("broker.external.secret is not set; broker/rules.py refuses that")
        return (secret_env(variable, secret, "url"),)
    return (
        value_env(settings, "BROKER_PASSWORD", CELERY_SECRET, BROKER_PASSWORD),
        {"name": variable, "value": f"redis://:$(BROKER_PASSWORD)@{NAME}:{PORT}/0"},
    )
