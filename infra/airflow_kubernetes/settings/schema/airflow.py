"""`airflow`: the release, its components, DAGs, tasks and workers."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from ..fields import (
    CAPACITY,
    OWN_PLACE,
    PLACE,
    STAND_IN,
    Folder,
    ImageName,
    Label,
    LabelValue,
    Name,
    Queue,
    Reference,
    Repository,
    Section,
    ShortName,
    Text,
    Variable,
)
from ..marks import PerEnvironment
from .kubernetes import Resources, Toleration, Volume


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
