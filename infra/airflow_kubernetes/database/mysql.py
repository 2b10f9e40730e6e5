"""MySQL in the cluster: one replica on a claim of its own.

The image has the official image's interface (https://hub.docker.com/_/mysql): MYSQL_* variables
on an empty data directory, arguments passed on to mysqld, uid 999.
"""

from collections.abc import Iterator

from ..kubernetes.env import plain_env, secret_env
from ..kubernetes.manifest import Manifest, secrets_revision
from ..kubernetes.pod import Container, Pod, scratch, volume
from ..kubernetes.pod_settings import server_extras
from ..kubernetes.probes import Probes, execute, probe, tcp
from ..kubernetes.pull_secret import pull_secrets
from ..kubernetes.rbac import ServiceAccount
from ..kubernetes.server import server_manifests
from ..kubernetes.storage import claim_manifest
from ..secrets import MYSQL_PASSWORD, MYSQL_ROOT_PASSWORD, MYSQL_SECRET, value_env
from ..settings.schema import Settings

NAME, PORT, UID = "airflow-mysql", 3306, 999
COMPONENT = "mysql"

CLIENT = (
    'MYSQL_PWD="$MYSQL_PASSWORD" exec mysql --host=127.0.0.1 --user="$MYSQL_USER" '
    '--silent --execute="SELECT 1" "$MYSQL_DATABASE"'
)


def bytes_of(size: str) -> int:
    """A size in mysqld's own notation in bytes: "512M" is 536870912."""
    return int(size[:-1]) * {"M": 2**20, "G": 2**30}[size[-1]]


def flags(settings: Settings) -> list[str]:
    """Mysqld's arguments. Source: Airflow's "Set up a database backend" for MySQL."""
    cluster = settings.database.cluster
    return [
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_unicode_ci",
        "--explicit-defaults-for-timestamp=ON",
        # Airflow's synchronous engine requires it; 3.x's asynchronous engine uses the server's.
        "--transaction-isolation=READ-COMMITTED",
        # The migration from 2.x to 3.x creates functions, which a binary log otherwise forbids.
        "--log-bin-trust-function-creators=ON",
        # MySQL 8.4 does not see a container's memory limit, so the size is explicit.
        f"--innodb-buffer-pool-size={bytes_of(cluster.buffer_pool)}",
        f"--max-connections={cluster.max_connections}",
        # Two days of binary logs are enough to bridge two backups and cannot fill the volume.
        "--binlog-expire-logs-seconds=172800",
        "--local-infile=OFF",
        # Clients are pods: their addresses have no names worth a DNS query per connection.
        "--skip-name-resolve",
        "--mysqlx=OFF",
    ]


def mysql_manifests(settings: Settings) -> Iterator[Manifest]:
    """The claim, unless nothing can be on it, and in mode `cluster` the server."""
    database = settings.database
    if database.mode == "cluster" or database.cluster.keep_claim:
        yield claim_manifest(settings, NAME, COMPONENT, database.cluster.claim)
    if database.mode == "cluster":
        yield from server_manifests(settings, pod(settings), PORT)


def pod(settings: Settings) -> Pod:
    """The server's pod."""
    cluster = settings.database.cluster
    claim = {"persistentVolumeClaim": {"claimName": NAME}}
    container = Container(
        name="mysql",
        image=cluster.image,
        resources=cluster.resources,
        args=flags(settings),
        env=(
            *plain_env(
                {
                    "MYSQL_DATABASE": settings.database.name,
                    "MYSQL_ROOT_HOST": "localhost",
                    "MYSQL_INITDB_SKIP_TZINFO": "1",
                }
            ),
            secret_env("MYSQL_USER", MYSQL_SECRET, "username"),
            value_env(settings, "MYSQL_PASSWORD", MYSQL_SECRET, MYSQL_PASSWORD),
            value_env(settings, "MYSQL_ROOT_PASSWORD", MYSQL_SECRET, MYSQL_ROOT_PASSWORD),
        ),
        ports={"mysql": PORT},
        # TCP: while the image initialises an empty volume, the server listens on its socket alone.
        # Recovery after a crash may take long, so start-up may too.
        probes=Probes(
            startup=probe(tcp(PORT), period=1, failures=1800),
            liveness=probe(tcp(PORT), period=15, failures=10),
            readiness=probe(execute("sh", "-c", CLIENT), period=5, failures=3),
        ),
    )
    return Pod(
        component=COMPONENT,
        account=ServiceAccount(COMPONENT, values=cluster.service_account),
        container=container,
        parts=(
            # A sub-directory: the volume's own root may hold lost+found, which mysqld would take
            # for a database.
            volume("data", "/var/lib/mysql", claim, subPath="mysql")
            + scratch("run", "/var/run/mysqld", "16Mi")
            + scratch("files", "/var/lib/mysql-files", "16Mi")
            + scratch("tmp", "/tmp", "1Gi")
        ),
        user=UID,
        group=UID,
        pull_secrets=pull_secrets(settings),
        annotations=secrets_revision(settings.secrets.revision),
        extras=server_extras(settings, cluster),
        # A clean shutdown writes the buffer pool back; killed earlier, the next start recovers.
        grace_period=120,
    )
