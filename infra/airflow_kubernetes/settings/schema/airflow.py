"""`airflow`: the release, its components, DAGs, tasks and workers."""

from typing import Annotated, Literal

from pydantic import Field

from ..fields import (
    BundleName,
    ConfigurationKey,
    Email,
    Folder,
    ImageName,
    ObjectName,
    PersonName,
    Queue,
    Reference,
    Repository,
    Section,
    ShortName,
    Storage,
    Url,
    Username,
)
from ..marks import CAPACITY, LOCATION, STAND_IN, UNIQUE_LOCATION, PerEnvironment
from .contents import OptionValue, Scalar, SecretKey
from .kubernetes import Resources
from .pods import AccountSettings, DisruptionBudget, OwnAccount, PodFields, PodSettings


class Service(Section):
    """The Kubernetes Service of the API server."""

    type: Annotated[Literal["ClusterIP", "NodePort", "LoadBalancer"], LOCATION]
    """ClusterIP for an Ingress, or how the cluster gives it an address"""
    node_port: Annotated[Annotated[int, Field(ge=30000, le=32767)] | None, LOCATION]
    """the port of every node, with type NodePort"""


class ComponentSettings(PodSettings, OwnAccount):
    """A long-running Airflow component."""

    replicas: Annotated[Annotated[int, Field(ge=1, le=50)], CAPACITY]
    """pods at a time"""
    resources: Annotated[Resources, CAPACITY]
    """requests and limits of CPU and memory"""
    pod_disruption_budget: DisruptionBudget = Field(default_factory=DisruptionBudget)


class AutoscaledSettings(ComponentSettings):
    """A component that is scaled up to `max_replicas`, if that is set and more than `replicas`."""

    max_replicas: Annotated[Annotated[int, Field(ge=1, le=50)] | None, CAPACITY]

    @property
    def most(self) -> int:
        """The greatest number of replicas."""
        return self.replicas if self.max_replicas is None else self.max_replicas


class Triggerer(AutoscaledSettings):
    """The triggerer. Without replicas, and without KEDA, no task may defer itself."""

    replicas: Annotated[Annotated[int, Field(ge=0, le=50)], CAPACITY]
    """pods at a time"""


class ApiServer(AutoscaledSettings):
    """The UI and the API: the API server of Airflow 3, the webserver of Airflow 2."""

    workers: Annotated[Annotated[int, Field(ge=1, le=32)], CAPACITY]
    service: Service


Ref = Annotated[
    Reference,
    PerEnvironment("code is promoted by the branch or tag that each environment follows", "data"),
]

Interval = Annotated[int, Field(ge=1, le=86400)]


class GitDags(Section):
    """The Git repository of DAG code: `folder` at `ref` is fetched every `interval` seconds.

    `secret` has the keys username and password for https, or ssh (a private key) and known_hosts.
    `image` is git-sync's, for releases that do not fetch DAG code themselves.
    """

    repository: Repository | None
    ref: Ref
    folder: Folder
    interval: Interval
    secret: Annotated[ObjectName | None, LOCATION]
    image: Annotated[ImageName, STAND_IN]


class DagRepository(Section):
    """A further Git repository of DAG code, with the keys of GitDags. With `processor` a DAG
    processor of its own reads it.
    """

    repository: Repository
    """its address"""
    ref: Ref = "main"
    """branch, tag or commit"""
    folder: Folder = "dags"
    """the folder of DAG code in the repository"""
    interval: Interval = 60
    """seconds between two fetches"""
    secret: Annotated[ObjectName | None, LOCATION] = None
    """an existing Secret, as of airflow.dags.git"""
    processor: bool = False
    """whether a DAG processor of its own reads it"""


class Dags(Section):
    """The sources of DAG code: the first is built into the image, or fetched from Git by a running
    Airflow; `repositories` are fetched too, by name.
    """

    source: Literal["image", "git"]
    git: GitDags
    repositories: dict[BundleName, DagRepository]


class Jobs(PodSettings, OwnAccount):
    """The Jobs of a release, migrations and the first user, and the one that sweeps task pods;
    each has an account of its own, with the same annotations.
    """

    resources: Annotated[Resources, CAPACITY]
    """requests and limits of CPU and memory"""


class LaunchedPods(OwnAccount):
    """The pods that tasks launch: their service account."""


class TaskProfile(PodFields):
    """A named size of task pods: a task with its name as `queue` gets what is set here in the place
    of what airflow.tasks has, and what its own `pod_override` has over that.
    """

    resources: Annotated[Resources | None, CAPACITY] = None
    """requests and limits of CPU and memory"""
    image: Annotated[ImageName | None, LOCATION] = None
    """an image with Airflow, in the place of the program's own"""
    topology_spread_constraints: None = None
    """no setting: task pods are not replicas"""


class Tasks(PodSettings, OwnAccount):
    """Tasks, on every executor: what PodSettings has of a pod is of task pods, what it has of
    containers is of Celery workers and of a scheduler that runs tasks, too.

    `image`: of KubernetesExecutor's pods. `resources`: of a task pod, or of each task that runs in
    the scheduler. `grace_period`: seconds a stopping worker or pod may keep running its tasks; set
    it above the duration of the longest task. `pending_timeout`: seconds a task may be queued, or
    its pod wait for a node or an image. `disruption_retries`: times in a row that a task runs again
    because the cluster took its pod, without using one of its own retries. `failed_pod_retention`:
    seconds that a failed task pod is kept. `tmp_size_limit`: of /tmp, which is HOME too, in a pod
    that runs tasks. `launch_pods`: tasks may create pods in a namespace of their own,
    <namespace>-tasks; `pods_exec`: tasks may run commands in those pods, by which Airflow reads
    their results (XCom).
    """

    image: Literal["slim", "full"]
    resources: Annotated[Resources, CAPACITY]
    grace_period: Annotated[int, Field(ge=10, le=604800)]
    pending_timeout: Annotated[Annotated[int, Field(ge=30, le=604800)], CAPACITY]
    disruption_retries: Annotated[Annotated[int, Field(ge=0, le=100)], CAPACITY]
    failed_pod_retention: Annotated[Annotated[int, Field(ge=0, le=604800)], CAPACITY]
    tmp_size_limit: Annotated[Storage, CAPACITY]
    launch_pods: bool
    pods_exec: bool
    launched_pods: LaunchedPods = Field(default_factory=LaunchedPods)
    profiles: dict[Queue, TaskProfile]


class Workers(PodSettings):
    """A set of Celery workers: `replicas` to `max_replicas` pods that serve `queues`.

    KEDA scales by their tasks, also to none; without it a HorizontalPodAutoscaler does, by CPU.
    """

    queues: Annotated[list[Queue], Field(min_length=1)]
    """the queues whose tasks it runs"""
    concurrency: Annotated[Annotated[int, Field(ge=1, le=1000)], CAPACITY]
    replicas: Annotated[Annotated[int, Field(ge=0, le=1000)], CAPACITY]
    """pods at a time"""
    max_replicas: Annotated[Annotated[int, Field(ge=1, le=1000)], CAPACITY]
    resources: Annotated[Resources, CAPACITY]
    """requests and limits of CPU and memory"""
    pod_disruption_budget: DisruptionBudget = Field(default_factory=DisruptionBudget)


class Flower(PodSettings, OwnAccount):
    """Celery's monitor; its generated password is in the Secret airflow-celery."""

    resources: Annotated[Resources, CAPACITY]
    """requests and limits of CPU and memory"""


class Celery(Section):
    """What Celery executors need in addition to a broker; `workers` by the name of the set.

    `service_account`: of all sets of workers.
    """

    workers: Annotated[dict[ShortName, Workers], Field(min_length=1)]
    service_account: AccountSettings = Field(default_factory=AccountSettings)
    flower: Flower


class Keda(Section):
    """KEDA, which has to be in the cluster, scales what has `max_replicas` by the database.

    `cooldown_period`: seconds for which fewer replicas have to be enough before some are removed.
    `secret` has the key kedaConnection: `user:password@tcp(host:3306)/database`. Without it, KEDA
    uses Airflow's own user.
    """

    enabled: Annotated[
        bool, PerEnvironment("KEDA belongs to a cluster, which others install it on", "platform")
    ]
    """whether KEDA of the cluster scales by what is in the database"""
    cooldown_period: Annotated[Annotated[int, Field(ge=0, le=3600)], CAPACITY]
    secret: Annotated[ObjectName | None, UNIQUE_LOCATION]


class Admin(Section):
    """The first user; its generated password is in the Secret airflow-admin."""

    username: Username
    """the first user's name"""
    email: Email
    """the first user's email address"""
    first_name: PersonName
    """the first user's first name"""
    last_name: PersonName
    """the first user's last name"""


class Airflow(Section):
    """Airflow itself. `parallelism`: tasks that run at a time, per scheduler."""

    version: str
    """the release: a row of airflow/releases.py"""
    executor: str
    stopped: Annotated[
        bool,
        PerEnvironment(
            "one environment may be stopped, to work on its database", "data", temporary=True
        ),
    ]
    url: Annotated[Url, UNIQUE_LOCATION]
    parallelism: Annotated[Annotated[int, Field(ge=1, le=10000)], CAPACITY]
    configuration: dict[ConfigurationKey, dict[ConfigurationKey, OptionValue]]
    admin: Admin
    api_server: ApiServer
    scheduler: ComponentSettings
    dag_processor: ComponentSettings
    triggerer: Triggerer
    celery: Celery
    keda: Keda
    dags: Dags
    tasks: Tasks
    jobs: Jobs

    @property
    def options(self) -> dict[str, dict[str, Scalar]]:
        """`configuration` without what Secrets hold."""
        return {
            section: {
                option: value for option, value in given.items() if not isinstance(value, SecretKey)
            }
            for section, given in self.configuration.items()
        }

    @property
    def options_in_secrets(self) -> dict[tuple[str, str], SecretKey]:
        """By section and option, what of `configuration` Secrets hold."""
        return {
            (section, option): value
            for section, given in sorted(self.configuration.items())
            for option, value in sorted(given.items())
            if isinstance(value, SecretKey)
        }
