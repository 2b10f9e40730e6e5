"""The Secret with which nodes pull images from a registry that requires a login."""

from ..settings.schema import Settings

PULL_SECRET = "airflow-registry"
"""Its name where this program makes it from the login that builds use."""

LAUNCHED_PULL_SECRET = "airflow-launched-pods-registry"
"""The copy's name in the namespace of the pods that tasks launch: pods use no other namespace's."""


def makes_pull_secret(settings: Settings) -> bool:
    """Whether this program makes it; a Secret that the values name takes precedence."""
    return settings.images.login and settings.images.pull_secret is None


def pull_secret_name(settings: Settings) -> str | None:
    """Its name, or None where no login is needed."""
    return PULL_SECRET if makes_pull_secret(settings) else settings.images.pull_secret


def launched_pull_secret_name(settings: Settings) -> str | None:
    """That of launched pods; a Secret that the values name has to exist in both namespaces."""
    return LAUNCHED_PULL_SECRET if makes_pull_secret(settings) else settings.images.pull_secret
