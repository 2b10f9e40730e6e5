"""Airflow's configuration as environment variables.

`AIRFLOW__SECTION__OPTION` overrides airflow.cfg (Airflow's "Setting Configuration Options").
"""

from ..settings.schema import Settings
from .executors import EXECUTORS
from .releases import RELEASES

HOME = "/usr/local/airflow"
WEB_PORT = 8080
SCHEDULER_HEALTH_PORT = 8974
UPDATE_ROLES = "AIRFLOW__FAB__UPDATE_FAB_PERMS"
POD_TEMPLATE = f"{HOME}/pod_template.yaml"


def managed(settings: Settings) -> dict[str, str]:
    """What this program sets itself, by variable; `airflow.configuration` may not set it too."""
    airflow = settings.airflow
    release, executor = RELEASES[airflow.version], EXECUTORS[airflow.executor]
    values = {
        "AIRFLOW__CORE__EXECUTOR": executor.spelled_for(airflow.version),
        "AIRFLOW__CORE__PARALLELISM": str(airflow.parallelism),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Task pods must not go through the public address, which may be an ingress with a login.
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": (
            f"http://airflow-{release.web.name}:{WEB_PORT}/execution/"
        ),
        "AIRFLOW__API__BASE_URL": airflow.url,
        "AIRFLOW__API__WORKERS": str(airflow.api_server.workers),
        # The Job that makes the first user writes the roles; every web process doing so too, at
        # its start, takes a second and races with the others.
        UPDATE_ROLES: "False",
        "AIRFLOW__API__PORT": str(WEB_PORT),
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "True",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(SCHEDULER_HEALTH_PORT),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": f"{HOME}/logs",
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        **release.configuration,
    }
    if executor.kubernetes:
        values |= {
            "AIRFLOW__KUBERNETES_EXECUTOR__NAMESPACE": settings.namespace,
            "AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE": POD_TEMPLATE,
            # The default of 1 pod a loop leaves 50 ready tasks waiting for 50 loops.
            "AIRFLOW__KUBERNETES_EXECUTOR__WORKER_PODS_CREATION_BATCH_SIZE": "16",
        }
    return values


def plain(settings: Settings) -> dict[str, str]:
    """The whole configuration without secrets: this program's part and `airflow.configuration`."""
    extra = {
        f"AIRFLOW__{section.upper()}__{option.upper()}": str(value)
        for section, options in settings.airflow.configuration.items()
        for option, value in options.items()
    }
    return dict(sorted((managed(settings) | extra).items()))
