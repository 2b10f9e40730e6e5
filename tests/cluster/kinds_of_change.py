"""The table of changes that the predictions are proved with: values, code, the images' lock."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from airflow_kubernetes.airflow import image_catalog
from airflow_kubernetes.environment import load
from airflow_kubernetes.images import lock

from .conftest import ROOT

BEFORE = (
    "airflow.executor=CeleryKubernetesExecutor airflow.celery.workers.default.maxReplicas=2 "
    "images.build=false"
)
"""What every change starts from: each kind of object, and each component that there is."""


@dataclass(frozen=True)
class Edit:
    """In a file of the checkout (or the lock), `old` becomes `new`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Kind:
    """One kind of change: values, and edits of a copy of the checkout."""

    name: str
    values: str = ""
    edits: tuple[Edit, ...] = ()


LOCK = "cache/airflow-kubernetes/sandbox.lock.yaml"
"""The sandbox's lock in a copy: its XDG_CACHE_HOME is the folder cache."""

DEPLOYMENT = "infra/airflow_kubernetes/airflow/deployment.py"
SERVER = "infra/airflow_kubernetes/kubernetes/server.py"
ACCESS = "infra/airflow_kubernetes/kubernetes/rbac.py"
METADATA = "infra/airflow_kubernetes/kubernetes/manifest.py"
MYSQL = "infra/airflow_kubernetes/database/mysql.py"
BACKUP = "infra/airflow_kubernetes/database/backup.py"
CREDENTIALS = "infra/airflow_kubernetes/secrets.py"
SCRIPTS = "infra/airflow_kubernetes/database/scripts/list.sh"
PARALLEL = '"podManagementPolicy": "Parallel",'
SERVICE_NAME = '"serviceName": name,'


def _values(**rows: str) -> tuple[Kind, ...]:
    return tuple(Kind(name.replace("_", " "), values) for name, values in rows.items())


def _code(name: str, file: str, old: str, new: str) -> Kind:
    return Kind(name, edits=(Edit(file, old, new),))


COMPONENTS = _values(
    nothing="",
    scheduler_replicas="airflow.scheduler.replicas=2",
    scheduler_resources="airflow.scheduler.resources.limits.memory=1100Mi",
    scheduler_memory_in_another_unit="airflow.scheduler.resources.limits.memory=1024Mi",
    api_server_replicas="airflow.apiServer.replicas=2",
    api_server_processes="airflow.apiServer.workers=2",
    api_server_resources="airflow.apiServer.resources.requests.cpu=50m",
    dag_processor_replicas="airflow.dagProcessor.replicas=2",
    dag_processor_resources="airflow.dagProcessor.resources.limits.memory=1100Mi",
    triggerer_replicas="airflow.triggerer.replicas=2",
    triggerer_resources="airflow.triggerer.resources.limits.memory=800Mi",
    flower_resources="airflow.celery.flower.resources.limits.memory=600Mi",
    worker_concurrency="airflow.celery.workers.default.concurrency=2",
    worker_bounds="airflow.celery.workers.default.maxReplicas=3",
    worker_without_autoscaler="airflow.celery.workers.default.maxReplicas=1",
    redis_image="broker.cluster.image=10.244.0.1:5000/stand-in/redis:8",
    redis_resources="broker.cluster.resources.limits.memory=300Mi",
    task_resources="airflow.tasks.resources.limits.memory=700Mi",
    task_variables="airflow.tasks.env.GREETING=hello",
    tasks_may_not_run_commands_in_pods="airflow.tasks.podsExec=false",
    tasks_launch_no_pods="airflow.tasks.launchPods=false",
    configuration="airflow.configuration.api.instance_name=Changed",
    stopped="airflow.stopped=true",
    executor_KubernetesExecutor="airflow.executor=KubernetesExecutor",
    executor_CeleryExecutor="airflow.executor=CeleryExecutor",
    executor_LocalExecutor="airflow.executor=LocalExecutor",
    executor_LocalKubernetesExecutor="airflow.executor=LocalKubernetesExecutor",
    executor_SequentialExecutor="airflow.executor=SequentialExecutor",
    version="airflow.version=2.11.2",
    DAGs_from_Git=(
        "airflow.dags.source=git airflow.dags.git.repository=https://git.example.com/team/dags.git"
    ),
    service_type="airflow.apiServer.service.type=ClusterIP airflow.apiServer.service.nodePort=null",
    node_port="airflow.apiServer.service.nodePort=30095",
    namespace="namespace=airflow-changes-elsewhere",
    revision_of_the_Secrets="secrets.revision=2",
    name_of_the_first_user="airflow.admin.username=root",
    mail_of_the_first_user="airflow.admin.email=root@example.com",
    login_to_pull_with="images.imagePullSecrets=[registry-login]",
)

DATABASE = _values(
    MySQL_image="database.cluster.image=10.244.0.1:5000/stand-in/mysql:9.8",
    MySQL_buffer="database.cluster.bufferPool=300M",
    MySQL_connections="database.cluster.maxConnections=151",
    MySQL_resources="database.cluster.resources.limits.cpu=1500m",
    MySQL_storage_grows="database.cluster.claim.size=6Gi",
    MySQL_storage_shrinks="database.cluster.claim.size=4Gi",
    MySQL_storage_in_another_unit="database.cluster.claim.size=5120Mi",
    MySQL_storage_class="database.cluster.claim.storageClass=another",
    MySQL_storage_of_the_default_class="database.cluster.claim.storageClass=null",
    broker_storage_class="broker.cluster.claim.storageClass=another",
    logs_shrink="logs.claim.size=1Gi",
    MySQL_elsewhere=(
        "database.mode=external database.external.host=db.example.com "
        "database.external.secret=database-login"
    ),
    MySQL_elsewhere_without_its_claim=(
        "database.mode=external database.external.host=db.example.com "
        "database.external.secret=database-login database.cluster.keepClaim=false"
    ),
    name_of_the_database_user="database.user=somebody",
    generation="database.generation=2",
    backup_schedule=r'database.backup.schedule="0\x203\x20*\x20*\x20*"',  # SET ends at a space
    no_backup_schedule="database.backup.schedule=null",
    backups_kept="database.backup.keep=7",
)

CODE = (
    _code(
        "selectors",
        METADATA,
        'component": component}\n',
        'component": component, "app.kubernetes.io/part-of": PART_OF}\n',
    ),
    _code(
        "a selector that finds no pods",
        METADATA,
        'component": component}\n',
        'component": component, "tier": "x"}\n',
    ),
    _code(
        "a label of everything", METADATA, "PART_OF,\n    }", 'PART_OF,\n        "new": "x",\n    }'
    ),
    _code("serviceName", SERVER, SERVICE_NAME, '"serviceName": f"{name}-headless",'),
    _code("no serviceName", SERVER, SERVICE_NAME, ""),
    _code("pods one after the other", SERVER, PARALLEL, '"podManagementPolicy": "OrderedReady",'),
    _code("pods one after the other, by default", SERVER, PARALLEL, ""),
    _code(
        "revisions of a StatefulSet",
        SERVER,
        SERVICE_NAME,
        f'{SERVICE_NAME} "revisionHistoryLimit": 3,',
    ),
    _code(
        "claims of retired pods",
        SERVER,
        SERVICE_NAME,
        f'{SERVICE_NAME} "persistentVolumeClaimRetentionPolicy": '
        '{"whenDeleted": "Retain", "whenScaled": "Delete"},',
    ),
    _code(
        "templates of claims",
        SERVER,
        SERVICE_NAME,
        f'{SERVICE_NAME} "volumeClaimTemplates": [{{"metadata": {{"name": "more"}}, "spec": '
        '{"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}],',
    ),
    _code(
        "patience of a StatefulSet", SERVER, SERVICE_NAME, f'{SERVICE_NAME} "minReadySeconds": 5,'
    ),
    _code(
        "revisions of a Deployment",
        DEPLOYMENT,
        '"revisionHistoryLimit": 3',
        '"revisionHistoryLimit": 4',
    ),
    _code(
        "strategy",
        DEPLOYMENT,
        '"maxSurge": 1, "maxUnavailable": 0',
        '"maxSurge": 2, "maxUnavailable": 1',
    ),
    _code(
        "a headless Service",
        SERVER,
        '            "selector": selector(component),\n',
        '            "selector": selector(component),\n            "clusterIP": "None",\n',
    ),
    _code(
        "roleRef", ACCESS, '"kind": "Role", "name": name}', '"kind": "Role", "name": f"{name}-2"}'
    ),
    _code("a Role's rules", ACCESS, "rules=rules)", "rules=rules[:1])"),
    _code("a token for accounts", ACCESS, "Token=False", "Token=True"),
    _code("type of Secrets", CREDENTIALS, 'type="Opaque"', 'type="example.com/own"'),
    _code("one more generated key", CREDENTIALS, "{FERNET_KEY:", '{"new": Kind.KEY, FERNET_KEY:'),
    _code(
        "access modes of a claim",
        MYSQL,
        "database.cluster.claim)",
        'database.cluster.claim, access="ReadWriteMany")',
    ),
    _code("data of a ConfigMap", SCRIPTS, "set -", "# changed\nset -"),
    _code("a ConfigMap made immutable", BACKUP, "data=scripts)", "data=scripts, immutable=True)"),
    Kind(
        "an immutable ConfigMap with other data",
        edits=(
            Edit(BACKUP, "data=scripts)", "data=scripts, immutable=True)"),
            Edit(SCRIPTS, "set -", "# changed\nset -"),
        ),
    ),
    _code("name of a ConfigMap", BACKUP, '"ConfigMap", NAME,', '"ConfigMap", "airflow-scripts",'),
    _code("grace period of MySQL", MYSQL, "grace_period=120", "grace_period=60"),
    _code("order of arguments", MYSQL, '        "--mysqlx=OFF",\n    ]', "    ][::-1]"),
    _code(
        "order of variables",
        "infra/airflow_kubernetes/kubernetes/env.py",
        "for name, value in values.items())",
        "for name, value in reversed(values.items()))",
    ),
    _code("time zone of backups", BACKUP, '"timeZone": "Etc/UTC"', '"timeZone": "Europe/Berlin"'),
    _code(
        "tries of a Job",
        "infra/airflow_kubernetes/airflow/create_admin.py",
        "retries=3",
        "retries=4",
    ),
    _code("a DAG", "dags/smoke.py", '"""', '"""Changed. '),
)

IMAGES = (
    Kind("packages in the image", "images.airflow.systemPackages=[git]"),
    _code(
        "an image built again",
        LOCK,
        hashlib.sha256(b"airflow").hexdigest(),
        "0" * 64,
    ),
)

KINDS = (*COMPONENTS, *DATABASE, *CODE, *IMAGES)


def values(overrides: str, kind: Kind, storage_class: str = "") -> str:
    """The overrides of a kind of change, on top of those of BEFORE; later ones win."""
    sections = ("database.cluster", "database.backup", "broker.cluster", "logs")
    classes = [f"{one}.claim.storageClass={storage_class}" for one in sections if storage_class]
    every = [*BEFORE.split(), *classes, *overrides.split(), *kind.values.split()]
    merged = dict(one.split("=", 1) for one in every)
    return " ".join(f"{key}={value}" for key, value in merged.items())


def lock_images(folder: Path) -> None:
    """A lock of the sandbox's images in a copy's cache, with invented digests."""
    settings = load("sandbox")
    for spec in image_catalog.every(settings):
        digest = f"sha256:{hashlib.sha256(spec.name.encode()).hexdigest()}"
        name = lock.key(settings, spec.name, spec.tag)
        lock.update(folder / LOCK, {name: lock.Entry(spec.tag, digest)})


def copy(kind: Kind, folder: Path, cache: Path) -> Path:
    """A copy of the checkout and of a cache with the sandbox's lock, edited; its folder."""
    for name in ("infra", "values", "images", "dags"):
        shutil.copytree(ROOT / name, folder / name)
    for file in (*ROOT.glob("Pulumi*.yaml"), ROOT / "images.lock.yaml"):
        shutil.copy(file, folder)
    (folder / ".venv").symlink_to((ROOT / ".venv").resolve())
    shutil.copytree(cache, folder / "cache")
    for edit in kind.edits:
        file = folder / edit.file
        text = file.read_text(encoding="utf-8")
        assert edit.old in text, f"{kind.name}: {edit.file} has no {edit.old!r}"
        file.write_text(text.replace(edit.old, edit.new), encoding="utf-8")
    return folder
