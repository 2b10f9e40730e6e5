"""Everything in which the Airflow lines 2.11 and 3.3 differ, one row a release.

Sources: `airflow --help` and the configuration reference of each release. Nothing outside this
table compares versions.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from .executors import Executor, resolve

CURRENT, PREVIOUS = "3.3.2", "2.11.2"

DATABASE, FERNET, API_SECRET, JWT = "database", "fernet-key", "api-secret-key", "jwt-secret"
BROKER, RESULTS = "broker", "results"
"""Credentials that a component may need; each is an environment variable of `Release.secrets`."""

PRIVATE_NETWORKS = "10.0.0.0/8,100.64.0.0/10,172.16.0.0/12,192.168.0.0/16,fc00::/7,127.0.0.0/8"
"""Where an Ingress controller's address is, as its pod or node (RFC 1918, 6598 and 4193). uvicorn
believes X-Forwarded-* of these alone, and takes the last other address for the client's."""


@dataclass(frozen=True)
class AirflowComponent:
    """A long-running component: its `airflow` command line and the credentials that it needs."""

    name: str
    command: tuple[str, ...]
    secrets: tuple[str, ...]

    @property
    def args(self) -> tuple[str, ...]:
        """The arguments of its container."""
        return ("airflow", *self.command)


@dataclass(frozen=True)
class Web:
    """The component that serves the UI and the REST API on port 8080.

    `alive` answers without the database, `ready` with it; `rest` is the REST API's root and
    `login` its authentication; all three are below the path of `airflow.url`. `variables` maps a
    setting to its environment variable. `behind_tls` are the variables and `tls_args` the arguments
    for an https address: an Ingress ends TLS, and says so in X-Forwarded-Proto.
    """

    component: AirflowComponent
    alive: str
    ready: str
    rest: str
    login: Literal["token", "basic"]
    variables: MappingProxyType[str, str]
    behind_tls: MappingProxyType[str, str]
    tls_args: tuple[str, ...] = ()


@dataclass(frozen=True)
class Release:
    """One Airflow release.

    `secrets` maps credentials to environment variables; `async_database` is the variable of the
    URL for the asynchronous driver, in releases that have one. `task_secrets` are the credentials
    of a KubernetesExecutor task pod. `executor_lists` says whether `core.executor` takes a list,
    `execution_api` whether tasks talk to the web component instead of to the database,
    `dag_bundles` whether Airflow itself fetches DAG code, for each task at its run's version.
    `write_roles` is the command that writes FAB's roles, where `users create` does not. `pythons`
    are the series that it is tested with and locked for; `slim_tasks` says whether its task pods
    can run an image without the metadata database's driver.
    """

    version: str
    web: Web
    scheduler: AirflowComponent
    dag_processor: AirflowComponent
    triggerer: AirflowComponent
    worker: AirflowComponent
    flower: AirflowComponent
    secrets: MappingProxyType[str, str]
    async_database: str | None
    task_secrets: tuple[str, ...]
    executor_lists: bool
    execution_api: bool
    dag_bundles: bool
    write_roles: tuple[str, ...]
    pythons: tuple[str, ...]
    slim_tasks: bool
    configuration: MappingProxyType[str, str]

    def executor(self, text: str) -> Executor:
        """The executor that a setting names. Raises UnknownExecutorError."""
        return resolve(text, lists=self.executor_lists)


_FLOWER = ("celery", "flower")
_CELERY = {BROKER: "AIRFLOW__CELERY__BROKER_URL", RESULTS: "AIRFLOW__CELERY__RESULT_BACKEND"}
# Logs are on a volume that all components share, so workers need not serve them. By default the
# pid file is in the home folder, which is read-only.
_WORKER = ("celery", "worker", "--skip-serve-logs", "--pid", "/tmp/worker.pid")

_ALL_KEYS_2 = (DATABASE, FERNET, API_SECRET)

_AIRFLOW_2_11 = Release(
    version=PREVIOUS,
    web=Web(
        AirflowComponent("webserver", ("webserver", "--pid", "/tmp/webserver.pid"), _ALL_KEYS_2),
        alive="/health",
        ready="/health",
        rest="/api/v1",
        login="basic",
        variables=MappingProxyType(
            {
                "url": "AIRFLOW__WEBSERVER__BASE_URL",
                "workers": "AIRFLOW__WEBSERVER__WORKERS",
                "port": "AIRFLOW__WEBSERVER__WEB_SERVER_PORT",
            }
        ),
        behind_tls=MappingProxyType(
            {
                "AIRFLOW__WEBSERVER__ENABLE_PROXY_FIX": "True",
                "AIRFLOW__WEBSERVER__COOKIE_SECURE": "True",
            }
        ),
    ),
    scheduler=AirflowComponent("scheduler", ("scheduler", "--skip-serve-logs"), _ALL_KEYS_2),
    dag_processor=AirflowComponent("dag-processor", ("dag-processor",), (DATABASE, FERNET)),
    triggerer=AirflowComponent("triggerer", ("triggerer", "--skip-serve-logs"), _ALL_KEYS_2),
    worker=AirflowComponent("worker", _WORKER, (*_ALL_KEYS_2, BROKER, RESULTS)),
    # Without a database that suits the executor, 2.x does not offer the command.
    flower=AirflowComponent("flower", _FLOWER, (DATABASE, BROKER, RESULTS)),
    secrets=MappingProxyType(
        {
            DATABASE: "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
            FERNET: "AIRFLOW__CORE__FERNET_KEY",
            API_SECRET: "AIRFLOW__WEBSERVER__SECRET_KEY",
            **_CELERY,
        }
    ),
    async_database=None,
    # 2.x tasks talk to the metadata database themselves.
    task_secrets=_ALL_KEYS_2,
    executor_lists=False,
    execution_api=False,
    dag_bundles=False,
    write_roles=("airflow", "sync-perm"),
    pythons=("3.10", "3.11", "3.12"),
    slim_tasks=False,
    configuration=MappingProxyType(
        {
            "AIRFLOW__API__AUTH_BACKENDS": "airflow.api.auth.backend.basic_auth,"
            "airflow.api.auth.backend.session",
            "AIRFLOW__SCHEDULER__STANDALONE_DAG_PROCESSOR": "True",
            # The socket would be in the home folder, which is read-only, and nothing uses it.
            "GUNICORN_CMD_ARGS": "--no-control-socket",
        }
    ),
)

_AIRFLOW_3_3 = Release(
    version=CURRENT,
    web=Web(
        AirflowComponent("api-server", ("api-server",), (DATABASE, FERNET, API_SECRET, JWT)),
        alive="/api/v2/version",
        ready="/api/v2/monitor/health",
        rest="/api/v2",
        login="token",
        variables=MappingProxyType(
            {
                "url": "AIRFLOW__API__BASE_URL",
                "workers": "AIRFLOW__API__WORKERS",
                "port": "AIRFLOW__API__PORT",
            }
        ),
        behind_tls=MappingProxyType(
            {
                "AIRFLOW__FAB__ENABLE_PROXY_FIX": "True",
                "AIRFLOW__FAB__COOKIE_SECURE": "True",
                "FORWARDED_ALLOW_IPS": PRIVATE_NETWORKS,
            }
        ),
        tls_args=("--proxy-headers",),
    ),
    scheduler=AirflowComponent(
        "scheduler", ("scheduler", "--skip-serve-logs"), (DATABASE, FERNET, API_SECRET, JWT)
    ),
    dag_processor=AirflowComponent("dag-processor", ("dag-processor",), (DATABASE, FERNET)),
    triggerer=AirflowComponent(
        "triggerer", ("triggerer", "--skip-serve-logs"), (DATABASE, FERNET, API_SECRET)
    ),
    # Its tasks talk to the execution API. Celery's results of them are in MySQL.
    worker=AirflowComponent("worker", _WORKER, (BROKER, RESULTS)),
    flower=AirflowComponent("flower", _FLOWER, (BROKER, RESULTS)),
    secrets=MappingProxyType(
        {
            DATABASE: "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
            FERNET: "AIRFLOW__CORE__FERNET_KEY",
            API_SECRET: "AIRFLOW__API__SECRET_KEY",
            JWT: "AIRFLOW__API_AUTH__JWT_SECRET",
            **_CELERY,
        }
    ),
    # Airflow would derive it from the other URL, with an option that aiomysql does not know.
    async_database="AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC",
    # 3.x tasks talk to the execution API with a token of their own; they get no key at all.
    task_secrets=(),
    executor_lists=True,
    execution_api=True,
    dag_bundles=True,
    write_roles=(),
    pythons=("3.10", "3.11", "3.12", "3.13", "3.14"),
    slim_tasks=True,
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
