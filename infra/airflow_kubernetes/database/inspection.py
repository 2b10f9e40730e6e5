"""Jobs that look at the database and at the backups, before `up` changes anything.

They need nothing that `make down` deletes: no service account, no ConfigMap with scripts.
"""

from dataclasses import replace

from ..kubernetes.job import job_spec
from ..kubernetes.manifest import Manifest, manifest
from ..kubernetes.pod import NOTHING, Container, Parts, Pod, scratch, volume
from ..kubernetes.pod_settings import server_extras
from ..kubernetes.pull_secret import pull_secrets
from ..settings.schema import Settings
from . import connection
from .backup import CLAIM, COMPONENT, SCRIPTS, account
from .mysql import UID

QUERY = r"""
SELECT VERSION(), COUNT(*) FROM information_schema.tables
WHERE table_schema = DATABASE()
    AND (table_name LIKE 'alembic\_version%' OR table_name = 'restore_incomplete')
"""
"""The server's version, and how many tables say that the database is one of Airflow's."""

LIST = """
cd /backups
for manifest in *Z-*/manifest; do
    if [ -f "$manifest" ]; then echo "${manifest%/manifest}"; fi
done
"""


def query_job(settings: Settings, name: str) -> Manifest:
    """A Job whose log has the answer to QUERY, or the client's error."""
    library = (SCRIPTS / "database.sh").read_text(encoding="utf-8")
    query = 'sql "$DATABASE_NAME" --connect-timeout=10 --execute="$1" 2>&1 || true'
    container = _container(settings, settings.database.cluster.image, f"{library}\n{query}", QUERY)
    return _job(settings, name, replace(container, env=connection.client_env(settings)), NOTHING)


def inventory_job(settings: Settings, name: str, image: str) -> Manifest:
    """A Job whose log has the names of the complete backups; any image with a shell will do."""
    backups = volume("backups", "/backups", {"persistentVolumeClaim": {"claimName": CLAIM}})
    return _job(settings, name, _container(settings, image, LIST), backups)


def _container(settings: Settings, image: str, script: str, *arguments: str) -> Container:
    return Container(
        name=COMPONENT,
        image=image,
        resources=settings.database.backup.resources,
        args=("bash", "-c", script, "bash", *arguments),
    )


def _job(settings: Settings, name: str, container: Container, parts: Parts) -> Manifest:
    pod = Pod(
        component=COMPONENT,
        account=account(settings),
        container=container,
        parts=parts + scratch("tmp", "/tmp", "16Mi"),
        user=UID,
        group=UID,
        pull_secrets=pull_secrets(settings),
        restart_policy="Never",
        extras=server_extras(settings, settings.database.backup),
    )
    spec = {**job_spec(pod, retries=0), "ttlSecondsAfterFinished": 3600}
    del spec["template"]["spec"]["serviceAccountName"]
    return manifest("batch/v1", "Job", name, settings.namespace, COMPONENT, spec=spec)
