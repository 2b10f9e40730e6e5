"""Objects that the values name and that somebody else makes."""

from ..settings.schema import Settings
from .rule import Reference


def outside(settings: Settings) -> frozenset[Reference]:
    """Kinds and names of the Secrets, ConfigMaps and claims that must be there beforehand."""
    secrets = (
        settings.database.external.secret,
        settings.broker.external.secret,
        settings.airflow.dags.git.secret,
        settings.images.pull_secret,
    )
    found = {("Secret", name) for name in secrets if name is not None}
    for volume in settings.airflow.tasks.volumes:
        for kind, name in (
            ("ConfigMap", volume.config_map),
            ("Secret", volume.secret),
            ("PersistentVolumeClaim", volume.claim),
        ):
            if name is not None:
                found.add((kind, name))
    return frozenset(found)
