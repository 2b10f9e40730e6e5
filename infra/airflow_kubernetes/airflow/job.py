"""The Jobs that prepare the database for a release.

A Job is named by a hash of what it runs: an unchanged Job is left alone, a changed Job is a new
object (a Job's template is immutable). They have no TTL: an expired Job would look missing, and
the next update would run it again.
"""

from ..kubernetes.job import job_spec
from ..kubernetes.manifest import Manifest, checksum, manifest
from ..kubernetes.pod import Container, Parts
from ..kubernetes.rbac import ServiceAccount
from ..settings.schema import Settings
from .pod import airflow_job_pod


def airflow_job(
    settings: Settings,
    account: ServiceAccount,
    container: Container,
    parts: Parts,
    *,
    retries: int,
) -> Manifest:
    """The Job; `database.generation` is part of its hash.

    Its pod has no checksum of the configuration: another configuration is no reason to run again.
    """
    pod = airflow_job_pod(settings, account, container, parts)

    def named(name: str) -> Manifest:
        return manifest(
            "batch/v1",
            "Job",
            name,
            settings.namespace,
            account.component,
            # `pulumi up` runs a failed Job again instead of being blocked by it for ever.
            annotations={"pulumi.com/replaceUnready": "true"},
            spec=job_spec(pod, retries=retries),
        )

    digest = checksum(named(account.name), settings.database.generation)[:8]
    return named(f"{account.name}-{digest}")
