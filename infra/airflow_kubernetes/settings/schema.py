"""Every setting: its type, its bounds and, where environments may differ, the reason.

There are no defaults here, but for the items of lists: values/common.yaml holds every setting, so
that one file shows all of them. Keys are camelCase, as in Kubernetes and the official chart.
"""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from . import cron
from .fields import (
    CAPACITY,
    OWN_PLACE,
    PLACE,
    STAND_IN,
    BuilderName,
    DebianPackage,
    DebianRelease,
    Endpoint,
    Folder,
    Host,
    Identifier,
    ImageName,
    ImageTemplate,
    Label,
    LabelValue,
    Name,
    PythonVersion,
    Quantity,
    Queue,
    Reference,
    Registry,
    Repository,
    Section,
    ShortName,
    Text,
    Variable,
)
from .marks import SANDBOX, PerEnvironment


class Quantities(Section):
    """CPU in cores ("250m"), memory in bytes ("512Mi")."""

    cpu: Quantity
    memory: Quantity


class Resources(Section):
    """A container's requests and limits, as in a Kubernetes container spec."""

    requests: Quantities
    limits: Quantities


class Toleration(Section):
    """As in a Kubernetes pod spec."""

    key: Text | None = None
    operator: Literal["Exists", "Equal"] = "Equal"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = None


class Volume(Section):
    """A volume from one source: a ConfigMap, a Secret, a claim, or an emptyDir of a size."""

    name: Name
    mount_path: Annotated[str, StringConstraints(pattern=r"^/")]
    read_only: bool = True
    config_map: Name | None = None
    secret: Name | None = None
    claim: Name | None = None
    empty_dir: Quantity | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "Volume":
        sources = (self.config_map, self.secret, self.claim, self.empty_dir)
        if sum(source is not None for source in sources) != 1:
            raise ValueError("takes exactly one of configMap, secret, claim, emptyDir")
        return self


class Service(Section):
    """How the web address is reached inside the cluster's network."""

    type: Annotated[Literal["ClusterIP", "NodePort", "LoadBalancer"], PLACE]
    node_port: Annotated[Annotated[int, Field(ge=30000, le=32767)] | None, PLACE]


class ComponentSettings(Section):
    """A long-running Airflow component."""

    replicas: Annotated[Annotated[int, Field(ge=1, le=50)], CAPACITY]
    resources: Annotated[Resources, CAPACITY]


class ApiServer(ComponentSettings):
    """The UI and the API: 3.x's API server, 2.x's webserver."""

    workers: Annotated[Annotated[int, Field(ge=1, le=32)], CAPACITY]
    service: Service


class GitDags(Section):
    """The repository of DAG code: `folder` of it at `ref`, looked at every `interval` seconds.

    `secret` has the keys username and password, for https; or ssh (a private key) and known_hosts.
    `image` is git-sync's, for releases that do not fetch DAG code themselves.
    """

    repository: Repository | None
    ref: Annotated[
        Reference,
        PerEnvironment(
            "code is promoted by what each environment follows: a branch, a tag", "data"
        ),
    ]
    folder: Folder
    interval: Annotated[int, Field(ge=1, le=86400)]
    secret: Annotated[Name | None, PLACE]
    image: Annotated[ImageName, STAND_IN]


class Dags(Section):
    """Where DAG code comes from: built into the image, or fetched from Git by a running Airflow."""

    source: Literal["image", "git"]
    git: GitDags


class Jobs(Section):
    """The Jobs of a release."""

    resources: Annotated[Resources, CAPACITY]


class Tasks(Section):
    """What tasks get wherever they run; the resources are a task pod's, or one local task's.

    `image` is that of KubernetesExecutor's pods. `grace_period` (seconds) is more than the longest
    task takes: so long what is stopped may go on with the tasks that it runs.
    """

    image: Literal["slim", "full"]
    resources: Annotated[Resources, CAPACITY]
    node_selector: Annotated[dict[Label, LabelValue], PLACE]
    tolerations: Annotated[list[Toleration], PLACE]
    env: dict[Variable, str]
    volumes: list[Volume]
    grace_period: Annotated[int, Field(ge=10, le=604800)]
    pending_timeout: Annotated[Annotated[int, Field(ge=30, le=604800)], CAPACITY]
    launch_pods: bool
    pods_exec: bool


class Workers(Section):
    """A set of Celery workers for some queues, from `replicas` to `max_replicas` pods."""

    queues: Annotated[list[Queue], Field(min_length=1)]
    concurrency: Annotated[Annotated[int, Field(ge=1, le=1000)], CAPACITY]
    replicas: Annotated[Annotated[int, Field(ge=1, le=1000)], CAPACITY]
    max_replicas: Annotated[Annotated[int, Field(ge=1, le=1000)], CAPACITY]
    resources: Annotated[Resources, CAPACITY]
    node_selector: Annotated[dict[Label, LabelValue], PLACE]
    tolerations: Annotated[list[Toleration], PLACE]


class Flower(Section):
    """Celery's monitor; its password is generated and kept in the Secret airflow-celery."""

    resources: Annotated[Resources, CAPACITY]


class Celery(Section):
    """What Celery executors need beside a broker; the sets of workers by name."""

    workers: Annotated[dict[ShortName, Workers], Field(min_length=1)]
    flower: Flower


class Admin(Section):
    """The first user; its password is generated and kept in the Secret airflow-admin."""

    username: Text
    email: Text
    first_name: Text
    last_name: Text


class Airflow(Section):
    """Airflow itself."""

    version: str
    executor: str
    stopped: Annotated[
        bool,
        PerEnvironment(
            "one environment may be stopped, to work on its database", "data", temporary=True
        ),
    ]
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+(/.*[^/])?$"), OWN_PLACE]
    parallelism: Annotated[Annotated[int, Field(ge=1, le=10000)], CAPACITY]
    configuration: dict[str, dict[str, str | int | float | bool]]
    admin: Admin
    api_server: ApiServer
    scheduler: ComponentSettings
    dag_processor: ComponentSettings
    triggerer: ComponentSettings
    celery: Celery
    dags: Dags
    tasks: Tasks
    jobs: Jobs


class Claim(Section):
    """A PersistentVolumeClaim. `storageClass: null` takes the cluster's default class."""

    size: Annotated[Quantity, CAPACITY]
    storage_class: Annotated[Name | None, PLACE]


class ClusterDatabase(Section):
    """MySQL in the cluster: one replica with a claim of its own."""

    image: Annotated[ImageName, STAND_IN]
    keep_claim: Annotated[bool, PLACE]
    claim: Claim
    buffer_pool: Annotated[Annotated[str, StringConstraints(pattern=r"^[0-9]+[MG]$")], CAPACITY]
    max_connections: Annotated[Annotated[int, Field(ge=20, le=10000)], CAPACITY]
    resources: Annotated[Resources, CAPACITY]


class ExternalDatabase(Section):
    """A MySQL server that somebody else runs; `secret` has the keys username and password."""

    host: Annotated[Host | None, OWN_PLACE]
    port: Annotated[Annotated[int, Field(ge=1, le=65535)], PLACE]
    secret: Annotated[Name | None, OWN_PLACE]


class Backup(Section):
    """Dumps of the metadata database on a volume of their own.

    `schedule` is cron's five fields in UTC, or null for none; `keep` is how many scheduled backups
    are kept, and others are never deleted.
    """

    schedule: Annotated[Text | None, replace(PLACE, bounds=cron.FORM)]
    keep: Annotated[Annotated[int, Field(ge=1, le=1000)], CAPACITY]
    claim: Claim
    resources: Annotated[Resources, CAPACITY]


class Database(Section):
    """The metadata database."""

    mode: Annotated[
        Literal["cluster", "external"],
        PerEnvironment("production databases are often managed outside the cluster", "platform"),
    ]
    name: Identifier
    user: Identifier
    generation: Annotated[
        Annotated[int, Field(ge=1, le=1000000)],
        PerEnvironment("a restore raises it, in the environment that was restored", "data"),
    ]
    cluster: ClusterDatabase
    external: ExternalDatabase
    backup: Backup


class ClusterBroker(Section):
    """Redis in the cluster: one replica with a claim of its own."""

    image: Annotated[ImageName, STAND_IN]
    claim: Claim
    resources: Annotated[Resources, CAPACITY]


class ExternalBroker(Section):
    """A broker that somebody else runs; `secret` has its URL as the key url."""

    secret: Annotated[Name | None, OWN_PLACE]


class Broker(Section):
    """The message broker of Celery executors; without one of those nothing of it is deployed."""

    mode: Annotated[
        Literal["cluster", "external"],
        PerEnvironment("production brokers are often managed outside the cluster", "platform"),
    ]
    cluster: ClusterBroker
    external: ExternalBroker


class Logs(Section):
    """Task logs: a volume shared by the components and the task pods (ReadWriteMany)."""

    claim: Claim


class AirflowImage(Section):
    """The Airflow image: Debian release and Python of its base, and more Debian packages."""

    base: DebianRelease
    python: PythonVersion
    system_packages: list[DebianPackage]


class TaskImage(Section):
    """images/tasks/<name>/image.yaml; what it leaves out is as in the Airflow image."""

    base: DebianRelease | None = None
    python: PythonVersion | None = None
    system_packages: list[DebianPackage] = Field(default_factory=list)


class Builder(Section):
    """The buildx builder. With a driver it is made where it is not there yet."""

    name: Annotated[BuilderName, PLACE]
    driver: Annotated[Literal["docker-container", "kubernetes", "remote"] | None, PLACE]
    endpoint: Annotated[Endpoint | None, PLACE]


class Images(Section):
    """Where images are built and kept.

    With `login` a Secret for pulling is made of the login that builds use; `pull_secret` is one
    that exists. `python_base_image` is a template with {python} and {base} that names the base of
    a Debian release and a Python version.
    """

    registry: Annotated[Registry, OWN_PLACE]
    build: Annotated[
        bool,
        PerEnvironment(
            "one environment builds; the others run what it built, by digest", "release"
        ),
    ]
    builder: Builder
    cache: Annotated[bool, PLACE]
    platforms: Annotated[
        Annotated[list[Literal["linux/amd64", "linux/arm64"]], Field(min_length=1)],
        PerEnvironment("the sandbox is one machine of one architecture", "release", only=SANDBOX),
    ]
    compression: Annotated[Literal["zstd", "gzip"], PLACE]
    lock: Annotated[
        Literal["committed", "cache"],
        PerEnvironment(
            "stand-in images must not enter the committed lock", "release", only=SANDBOX
        ),
    ]
    login: Annotated[bool, PLACE]
    pull_secret: Annotated[Name | None, PLACE]
    python_base_image: Annotated[ImageTemplate, STAND_IN]
    airflow: AirflowImage


class Secrets(Section):
    """`revision` is raised after a Secret was changed by hand: it rolls the pods that use it."""

    revision: Annotated[
        Annotated[int, Field(ge=1, le=1000000)],
        PerEnvironment("secrets rotate per environment", "platform"),
    ]


class Budget(Section):
    """What may be requested at most when as many tasks run as may (policies/budget.py).

    CPU in cores, memory and storage (of all claims) in bytes.
    """

    cpu: Annotated[Quantity, CAPACITY]
    memory: Annotated[Quantity, CAPACITY]
    storage: Annotated[Quantity, CAPACITY]


class Settings(Section):
    """All settings of one environment."""

    engine: Annotated[
        Literal["pulumi", "kubectl", "auto"],
        PerEnvironment("air-gapped environments cannot install the Pulumi CLI", "platform"),
    ]
    namespace: Annotated[Name, OWN_PLACE]
    airflow: Airflow
    database: Database
    broker: Broker
    logs: Logs
    images: Images
    secrets: Secrets
    budget: Budget
