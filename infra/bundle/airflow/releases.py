"""Everything in which the Airflow lines 2.11 and 3.3 differ, one row a release.

Sources: `airflow --help` and the configuration reference of each release. Nothing outside this
table compares versions.
"""

from dataclasses import dataclass
from types import MappingProxyType

DATABASE, FERNET, API_SECRET, JWT = "database", "fernet-key", "api-secret-key", "jwt-secret"
"""What a component may need to know; each is one environment variable of `Release.secrets`."""


@dataclass(frozen=True)
class Component:
    """A long-running component: its `airflow` subcommand and the secrets it needs.

    `job_type` is the heartbeat's type in the metadata database's table `job`, for components
    without an HTTP health address.
    """

    name: str
    command: str
    secrets: tuple[str, ...]
    job_type: str | None = None


@dataclass(frozen=True)
class Release:
    """One Airflow release. `built` says whether this program can deploy it yet.

    `web` serves the UI and the REST API on port 8080: `alive` answers without the database,
    `ready` with it. `secrets` maps what a component needs to its environment variable.
    `task_secrets` is what a KubernetesExecutor task pod needs.
    """

    version: str
    built: bool
    web: Component
    alive: str
    ready: str
    rest: str
    scheduler: Component
    dag_processor: Component
    triggerer: Component
    secrets: MappingProxyType[str, str]
    task_secrets: tuple[str, ...]
    configuration: MappingProxyType[str, str]

    @property
    def components(self) -> tuple[Component, ...]:
        """All long-running components, the web one first."""
        return (self.web, self.scheduler, self.dag_processor, self.triggerer)


_AIRFLOW_2_11 = Release(
    version="2.11.2",
    built=False,
    web=Component("webserver", "webserver", (DATABASE, FERNET, API_SECRET)),
    alive="/health",
    ready="/health",
    rest="/api/v1",
    scheduler=Component("scheduler", "scheduler", (DATABASE, FERNET, API_SECRET)),
    dag_processor=Component(
        "dag-processor", "dag-processor", (DATABASE, FERNET), "DagProcessorJob"
    ),
    triggerer=Component("triggerer", "triggerer", (DATABASE, FERNET, API_SECRET), "TriggererJob"),
    secrets=MappingProxyType(
        {
            DATABASE: "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
            FERNET: "AIRFLOW__CORE__FERNET_KEY",
            API_SECRET: "AIRFLOW__WEBSERVER__SECRET_KEY",
        }
    ),
    # 2.x tasks talk to the metadata database themselves.
    task_secrets=(DATABASE, FERNET, API_SECRET),
    configuration=MappingProxyType(
        {
            "AIRFLOW__API__AUTH_BACKENDS": "airflow.api.auth.backend.basic_auth,"
            "airflow.api.auth.backend.session",
            "AIRFLOW__SCHEDULER__STANDALONE_DAG_PROCESSOR": "True",
        }
    ),
)

_AIRFLOW_3_3 = Release(
    version="3.3.2",
    built=True,
    web=Component("api-server", "api-server", (DATABASE, FERNET, API_SECRET, JWT)),
    alive="/api/v2/version",
    ready="/api/v2/monitor/health",
    rest="/api/v2",
    scheduler=Component("scheduler", "scheduler", (DATABASE, FERNET, API_SECRET, JWT)),
    dag_processor=Component(
        "dag-processor", "dag-processor", (DATABASE, FERNET), "DagProcessorJob"
    ),
    triggerer=Component("triggerer", "triggerer", (DATABASE, FERNET, API_SECRET), "TriggererJob"),
    secrets=MappingProxyType(
        {
            DATABASE: "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
            FERNET: "AIRFLOW__CORE__FERNET_KEY",
            API_SECRET: "AIRFLOW__API__SECRET_KEY",
            JWT: "AIRFLOW__API_AUTH__JWT_SECRET",
        }
    ),
    # 3.x tasks talk to the execution API with a token of their own; they get no key at all.
    task_secrets=(),
    configuration=MappingProxyType(
        {
            "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager."
            "fab_auth_manager.FabAuthManager",
        }
    ),
)

RELEASES: MappingProxyType[str, Release] = MappingProxyType(
    {row.version: row for row in (_AIRFLOW_3_3, _AIRFLOW_2_11)}
)
