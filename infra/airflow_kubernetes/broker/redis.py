"""Redis in the cluster: one replica on a claim of its own.

What it holds are messages of queued tasks. Lost ones are not lost work: the scheduler queues such
tasks again after `scheduler.task_queued_timeout`. With the append-only file on a claim, a restarted
or moved Redis goes on without that delay. The claim is not protected: it goes with the executor
that needs it.

The image keeps the official image's contract (https://hub.docker.com/_/redis): redis-server on
PATH, data in /data, uid 999.
"""

from collections.abc import Iterator
from typing import Any

from ..kubernetes import pods, server
from ..kubernetes.manifest import Manifest, manifest
from ..kubernetes.storage import claim_spec
from ..secrets import BROKER_PASSWORD, CELERY_SECRET
from ..settings.quantities import amount
from ..settings.schema import Settings

NAME, PORT, UID = "airflow-redis", 6379, 999
COMPONENT = "redis"

# Options come from standard input: as arguments, the password would be in the process list. An
# exec keeps redis-server process 1, which gets the signal to stop.
# A full Redis refuses messages, which are sent again; a killed one loses up to a second of them.
SERVER = """\
exec redis-server - <<END
requirepass $REDIS_PASSWORD
dir /data
appendonly yes
appendfsync everysec
save ""
maxmemory $MAX_MEMORY
END
"""
CLIENT = 'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli ping | grep -qx PONG'


def objects(settings: Settings) -> Iterator[Manifest]:
    """The server with its claim, where a Celery executor has its broker in the cluster."""
    wanted = settings.broker.cluster
    yield manifest(
        "v1",
        "PersistentVolumeClaim",
        NAME,
        settings.namespace,
        COMPONENT,
        spec=claim_spec(wanted.claim.size, wanted.claim.storage_class, "ReadWriteOnce"),
    )
    yield from server.objects(settings, NAME, COMPONENT, PORT, _pod(settings))


def _pod(settings: Settings) -> dict[str, Any]:
    tmp, tmp_mount = pods.scratch("tmp", "/tmp", "16Mi")
    limit = settings.broker.cluster.resources.limits.memory
    ping = pods.execute("sh", "-c", CLIENT)
    return {
        "serviceAccountName": NAME,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pods.pod_security(UID, UID, UID),
        "containers": [
            {
                "name": "redis",
                "image": settings.broker.cluster.image,
                "command": ["sh", "-c", SERVER],
                "env": [
                    pods.secret_env("REDIS_PASSWORD", CELERY_SECRET, BROKER_PASSWORD),
                    *pods.plain_env({"MAX_MEMORY": str(int(0.75 * amount(limit)))}),
                ],
                "ports": [{"name": "redis", "containerPort": PORT}],
                "resources": pods.resources(settings.broker.cluster.resources),
                "securityContext": pods.container_security(),
                "startupProbe": pods.probe(ping, period=1, failures=300),
                "livenessProbe": pods.probe({"tcpSocket": {"port": PORT}}, period=15, failures=10),
                "readinessProbe": pods.probe(ping, period=10, failures=3),
                "volumeMounts": [{"name": "data", "mountPath": "/data"}, tmp_mount],
            }
        ],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": NAME}}, tmp],
        **pods.pull_secrets(settings),
    }
