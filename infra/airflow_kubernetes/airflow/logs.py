"""Where task logs are: one volume, mounted by the components and by every task pod.

A volume needs no account and no further service, is read and written in the same way under every
executor, and shows a log while its task still runs, without letting the API server read pods.
"""

from ..kubernetes.manifest import Manifest
from ..kubernetes.pod import Parts, scratch, volume
from ..kubernetes.storage import claim_manifest
from ..settings.schema import Settings
from .configuration import HOME

CLAIM = "airflow-logs"


def logs_manifest(settings: Settings) -> Manifest:
    """The claim: ReadWriteMany, because task pods run on many nodes."""
    return claim_manifest(settings, CLAIM, "logs", settings.logs.claim, access="ReadWriteMany")


def parts(*, kept: bool = True) -> Parts:
    """The volume at Airflow's log folder; if not `kept`, one that ends with its pod."""
    folder = f"{HOME}/logs"
    if not kept:
        return scratch("logs", folder, "1Gi")
    return volume("logs", folder, {"persistentVolumeClaim": {"claimName": CLAIM}})
