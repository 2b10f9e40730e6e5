"""Where task logs live: one volume, mounted by the components and by every task pod.

A volume needs no account and no further service, is read and written in the same way under every
executor, and shows a log while its task still runs without letting the API server read pods.
"""

from ..kubernetes.manifest import Manifest, manifest
from ..kubernetes.storage import claim_spec
from ..settings.schema import Settings
from .pods import LOGS_CLAIM


def claim(settings: Settings) -> Manifest:
    """The logs' claim; task pods run on many nodes, so it is ReadWriteMany."""
    wanted = settings.logs.claim
    return manifest(
        "v1",
        "PersistentVolumeClaim",
        LOGS_CLAIM,
        settings.namespace,
        "logs",
        protected=True,
        spec=claim_spec(wanted.size, wanted.storage_class, "ReadWriteMany"),
    )
