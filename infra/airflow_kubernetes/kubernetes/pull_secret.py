"""The Secrets with which nodes pull images from registries that require a login."""

from ..settings.schema import Settings

PULL_SECRET = "airflow-registry"
"""Its name where this program makes it from the login that builds use."""

LAUNCHED_PULL_SECRET = "airflow-launched-pods-registry"
"""The copy's name in the namespace of the pods that tasks launch: pods use no other namespace's."""


def makes_pull_secret(settings: Settings) -> bool:
    """Whether this program makes one; Secrets that the values name take precedence."""
    return settings.images.login and not settings.images.image_pull_secrets


def pull_secrets(settings: Settings) -> list[str]:
    """Their names; none where no login is needed."""
    return [PULL_SECRET] if makes_pull_secret(settings) else settings.images.image_pull_secrets


def launched_pull_secrets(settings: Settings) -> list[str]:
    """Those of launched pods; Secrets that the values name have to exist in both namespaces."""
    own = makes_pull_secret(settings)
    return [LAUNCHED_PULL_SECRET] if own else settings.images.image_pull_secrets
