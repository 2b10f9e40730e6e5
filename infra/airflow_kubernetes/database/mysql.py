"""MySQL in the cluster: one replica on a claim of its own.

The image keeps the official image's contract (https://hub.docker.com/_/mysql): MYSQL_* variables
on an empty data directory, arguments passed on to mysqld, uid 999.
"""

from collections.abc import Iterator
from typing import Any

from ..kubernetes import pods, server
from ..kubernetes.manifest import Manifest, manifest
from ..kubernetes.storage import claim_spec
from ..secrets import MYSQL_SECRET
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
        # Airflow's synchronous engine asks for it; 3.x's asynchronous one takes the server's.
        "--transaction-isolation=READ-COMMITTED",
        # The migration from 2.x to 3.x creates functions, which a binary log otherwise forbids.
        "--log-bin-trust-function-creators=ON",
        # A container's memory limit is not seen by MySQL 8.4, so the size is explicit.
        f"--innodb-buffer-pool-size={bytes_of(cluster.buffer_pool)}",
        f"--max-connections={cluster.max_connections}",
        # Two days of binary logs are enough to bridge two backups and cannot fill the volume.
        "--binlog-expire-logs-seconds=172800",
        "--local-infile=OFF",
        # Clients are pods: their addresses have no names worth a DNS query per connection.
        "--skip-name-resolve",
        "--mysqlx=OFF",
    ]


def claim(settings: Settings) -> Manifest:
    """The data's claim."""
    wanted = settings.database.cluster.claim
    return manifest(
        "v1",
        "PersistentVolumeClaim",
        NAME,
        settings.namespace,
        COMPONENT,
        protected=True,
        spec=claim_spec(wanted.size, wanted.storage_class, "ReadWriteOnce"),
    )


def objects(settings: Settings) -> Iterator[Manifest]:
    """The claim, wherever one may hold data, and the server where the mode is `cluster`."""
    database = settings.database
    if database.mode == "cluster" or database.cluster.keep_claim:
        yield claim(settings)
    if database.mode == "cluster":
        yield from server.objects(settings, NAME, COMPONENT, PORT, _pod(settings))


def _pod(settings: Settings) -> dict[str, Any]:
    cluster = settings.database.cluster
    run, run_mount = pods.scratch("run", "/var/run/mysqld", "16Mi")
    files, files_mount = pods.scratch("files", "/var/lib/mysql-files", "16Mi")
    tmp, tmp_mount = pods.scratch("tmp", "/tmp", "1Gi")
    tcp = {"tcpSocket": {"port": PORT}}
    return {
        "serviceAccountName": NAME,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        # A clean shutdown writes the buffer pool back; killed earlier, the next start recovers.
        "terminationGracePeriodSeconds": 120,
        "securityContext": pods.pod_security(UID, UID, UID),
        "containers": [
            {
                "name": "mysql",
                "image": cluster.image,
                "args": flags(settings),
                "env": [
                    *pods.plain_env(
                        {
                            "MYSQL_DATABASE": settings.database.name,
                            "MYSQL_ROOT_HOST": "localhost",
                            "MYSQL_INITDB_SKIP_TZINFO": "1",
                        }
                    ),
                    pods.secret_env("MYSQL_USER", MYSQL_SECRET, "username"),
                    pods.secret_env("MYSQL_PASSWORD", MYSQL_SECRET, "password"),
                    pods.secret_env("MYSQL_ROOT_PASSWORD", MYSQL_SECRET, "root-password"),
                ],
                "ports": [{"name": "mysql", "containerPort": PORT}],
                "resources": pods.resources(cluster.resources),
                "securityContext": pods.container_security(),
                # TCP: while the image initialises an empty volume, the server listens on its
                # socket alone. Recovery after a crash may take long, so start-up may too.
                "startupProbe": pods.probe(tcp, period=1, failures=1800),
                "livenessProbe": pods.probe(tcp, period=15, failures=10),
                "readinessProbe": pods.probe(
                    pods.execute("sh", "-c", CLIENT), period=5, failures=3
                ),
                "volumeMounts": [
                    # A sub-directory: a volume's own root may hold lost+found, which mysqld
                    # would take for a database.
                    {"name": "data", "mountPath": "/var/lib/mysql", "subPath": "mysql"},
                    run_mount,
                    files_mount,
                    tmp_mount,
                ],
            }
        ],
        "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": NAME}},
            run,
            files,
            tmp,
        ],
        **pods.pull_secrets(settings),
    }
