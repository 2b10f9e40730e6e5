"""Redis in the cluster: one replica on a claim of its own.

It holds the messages of queued tasks. A lost message is no lost work: the scheduler queues the task
again after `scheduler.task_queued_timeout`. With the append-only file on a claim, a restarted or
moved Redis continues without that delay. The claim is not protected: it is deleted with the
executor that needs it.

The image has the official image's interface (https://hub.docker.com/_/redis): redis-server on
PATH, data in /data, uid 999.
"""

from collections.abc import Iterator

from ..kubernetes.env import plain_env
from ..kubernetes.manifest import Manifest, secrets_revision
from ..kubernetes.pod import Container, Pod, scratch, volume
from ..kubernetes.pod_settings import server_extras
from ..kubernetes.probes import Probes, execute, probe, tcp
from ..kubernetes.pull_secret import pull_secrets
from ..kubernetes.rbac import ServiceAccount
from ..kubernetes.server import server_manifests
from ..kubernetes.storage import claim_manifest
from ..secrets import BROKER_PASSWORD, CELERY_SECRET, value_env
from ..settings.quantities import amount
from ..settings.schema import Settings

NAME, PORT, UID = "airflow-redis", 6379, 999
COMPONENT = "redis"

# Options come from standard input: as arguments, the password would be in the process list. With
# exec, redis-server is process 1, which gets the signal to stop.
# A full Redis refuses messages, which are sent again; a killed Redis loses up to a second of them.
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


def redis_manifests(settings: Settings) -> Iterator[Manifest]:
    """The server and its claim."""
    yield claim_manifest(settings, NAME, COMPONENT, settings.broker.cluster.claim, protected=False)
    yield from server_manifests(settings, pod(settings), PORT)


def pod(settings: Settings) -> Pod:
    """The server's pod."""
    cluster = settings.broker.cluster
    memory = int(0.75 * amount(cluster.resources.limits.memory))
    ping = execute("sh", "-c", CLIENT)
    container = Container(
        name="redis",
        image=cluster.image,
        resources=cluster.resources,
        command=("sh", "-c", SERVER),
        env=(
            value_env(settings, "REDIS_PASSWORD", CELERY_SECRET, BROKER_PASSWORD),
            *plain_env({"MAX_MEMORY": str(memory)}),
        ),
        ports={"redis": PORT},
        probes=Probes(
            startup=probe(ping, period=1, failures=300),
            liveness=probe(tcp(PORT), period=15, failures=10),
            readiness=probe(ping, period=10, failures=3),
        ),
    )
    data = volume("data", "/data", {"persistentVolumeClaim": {"claimName": NAME}})
    return Pod(
        component=COMPONENT,
        account=ServiceAccount(COMPONENT, values=cluster.service_account),
        container=container,
        parts=data + scratch("tmp", "/tmp", "16Mi"),
        user=UID,
        group=UID,
        pull_secrets=pull_secrets(settings),
        annotations=secrets_revision(settings.secrets.revision),
        extras=server_extras(settings, cluster),
    )
