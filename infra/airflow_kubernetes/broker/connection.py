"""How Celery reaches its broker."""

from typing import Any

from ..kubernetes.pods import secret_env
from ..secrets import BROKER_PASSWORD, CELERY_SECRET
from ..settings.schema import Settings
from .redis import NAME, PORT


def environment(settings: Settings, variable: str) -> list[dict[str, Any]]:
    """The environment that ends in the broker's URL, as the variable that the release reads."""
    if settings.broker.mode == "external":
        secret = settings.broker.external.secret
        if secret is None:
            raise ValueError("broker.external.secret is not set; broker/rules.py refuses that")
        return [secret_env(variable, secret, "url")]
    return [
        secret_env("BROKER_PASSWORD", CELERY_SECRET, BROKER_PASSWORD),
        {"name": variable, "value": f"redis://:$(BROKER_PASSWORD)@{NAME}:{PORT}/0"},
    ]
