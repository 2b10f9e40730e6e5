"""Airflow's configuration as environment variables.

`AIRFLOW__SECTION__OPTION` overrides airflow.cfg (Airflow's "Setting Configuration Options").
"""

from urllib.parse import urlsplit

from ..kubernetes.env import EnvVar, secret_env
from ..kubernetes.manifest import Manifest, manifest
from ..kubernetes.namespace import tasks_namespace
from ..kubernetes.pod_settings import merged
from ..kubernetes.pull_secret import launched_pull_secrets, pull_secrets
from ..secrets import generated
from ..settings.schema import PodSettings, Settings
from ..settings.sections import named
from . import dags, task_profiles
from .executors import KUBERNETES_QUEUE
from .options import variable
from .releases import RELEASES
from .repositories import repositories

CONFIG_MAP = "airflow-config"
HOME = "/usr/local/airflow"
WEB, WEB_PORT = "airflow-web", 8080
"""The Service's name, the same for all releases, so that an Ingress outlives a release change."""

SCHEDULER_HEALTH_PORT = 8974
UPDATE_ROLES = "AIRFLOW__FAB__UPDATE_FAB_PERMS"
FLOWER_LOGIN = "AIRFLOW__CELERY__FLOWER_BASIC_AUTH"
POD_TEMPLATE = "/opt/pod-template/pod_template.yaml"


def configuration_manifest(settings: Settings) -> Manifest:
    """The ConfigMap that all components and task pods take as their environment."""
    return manifest(
        "v1", "ConfigMap", CONFIG_MAP, settings.namespace, "config", data=plain(settings)
    )


def path(settings: Settings) -> str:
    """The path of `airflow.url`, below which the web component serves everything; often empty."""
    return urlsplit(settings.airflow.url).path.rstrip("/")


def behind_tls(settings: Settings) -> bool:
    """Whether users reach Airflow by https, of which the web component itself sees http."""
    return urlsplit(settings.airflow.url).scheme == "https"


def managed(settings: Settings) -> dict[str, str]:
    """The variables without secrets that this program derives from other settings."""
    airflow = settings.airflow
    release = RELEASES[airflow.version]
    executor = release.executor(airflow.executor)
    web = release.web.variables
    values = {
        "AIRFLOW__CORE__EXECUTOR": executor.setting,
        "AIRFLOW__CORE__PARALLELISM": str(1 if executor.serial else airflow.parallelism),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        web["url"]: airflow.url,
        web["workers"]: str(airflow.api_server.workers),
        web["port"]: str(WEB_PORT),
        # The Job that creates the first user writes the roles. Web processes would do so too, at
        # their start, which takes a second and is a race between them.
        UPDATE_ROLES: "False",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "True",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(SCHEDULER_HEALTH_PORT),
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": str(airflow.tasks.pending_timeout),
        # A killed scheduler counts as dead after 30 s; by default its tasks wait up to 5 minutes.
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "60",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": f"{HOME}/logs",
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        **(release.web.behind_tls if behind_tls(settings) else {}),
        **release.configuration,
        **dags.variables(settings),
    }
    if release.execution_api:
        # Tasks must not use the public address, which may be an ingress with a login.
        values["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] = (
            f"http://{WEB}:{WEB_PORT}{path(settings)}/execution/"
        )
    if executor.celery:
        # The broker delivers a message again if no worker has acknowledged it within this time. A
        # task is acknowledged at its end, so this must be longer than the longest task.
        values["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"] = str(
            max(86400, 2 * airflow.tasks.grace_period)
        )
        # A task that has waited for a worker for pendingTimeout is sent again, with a new token.
        # By default it fails the third time, without having run.
        values["AIRFLOW__SCHEDULER__NUM_STUCK_IN_QUEUED_RETRIES"] = str(2**31 - 1)
    if executor.kubernetes:
        values |= {
            "AIRFLOW__KUBERNETES_EXECUTOR__NAMESPACE": settings.namespace,
            "AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE": POD_TEMPLATE,
            # With the default of 1 pod a loop, 50 ready tasks take 50 loops.
            "AIRFLOW__KUBERNETES_EXECUTOR__WORKER_PODS_CREATION_BATCH_SIZE": "16",
            # What no waiting puts right. By default a task also fails at once for an image that
            # cannot be pulled yet, or a Secret that is not there yet.
            "AIRFLOW__KUBERNETES_EXECUTOR__WORKER_POD_PENDING_FATAL_CONTAINER_STATE_REASONS": (
                "InvalidImageName,ErrImageNeverPull"
            ),
        }
    if executor.kubernetes and not release.executor_lists:
        # Options of the hybrid classes, so that a DAG names the same queue on both lines.
        for section in ("CELERY_KUBERNETES_EXECUTOR", "LOCAL_KUBERNETES_EXECUTOR"):
            values[f"AIRFLOW__{section}__KUBERNETES_QUEUE"] = KUBERNETES_QUEUE
    # Read by the image's pod_defaults.py and pod_rules.py.
    values["TASKS_NAMESPACE"] = (
        tasks_namespace(settings.namespace) if airflow.tasks.launch_pods else ""
    )
    values["TASKS_PODS_EXEC"] = str(airflow.tasks.pods_exec)
    values["KEPT_FROM_DAGS"] = ",".join(sorted(_secrets(settings)))
    if secrets := launched_pull_secrets(settings):
        values["TASK_PULL_SECRETS"] = ",".join(secrets)
    priority = merged(settings.pods, airflow.tasks).priority_class_name
    if priority is not None:
        values["TASK_PRIORITY_CLASS"] = priority
    if kept := _priority_classes(settings) - {priority}:
        values["PRIORITY_CLASSES_KEPT_FROM_DAGS"] = ",".join(sorted(kept))
    values |= task_profiles.variables(settings)
    if executor.pods_by_policy is not None:
        # Read by the image's airflow_local_settings.py.
        values["KUBERNETES_QUEUE_EXECUTOR"] = executor.pods_by_policy
    return values


def _secrets(settings: Settings) -> set[str]:
    """The names of Airflow's Secrets: the generated ones, and those that the values name for
    anything but pods that run tasks.
    """
    airflow, database, broker = settings.airflow, settings.database, settings.broker
    keda = airflow.keda
    given = (
        *pull_secrets(settings),
        *(name for _, _, name in named(settings.secrets)),
        database.external.secret if database.mode == "external" else None,
        broker.external.secret if broker.mode == "external" else None,
        *(each.values.secret for each in repositories(settings)),
        keda.secret if keda.enabled else None,
    )
    of_pods = (
        name
        for section in _without_tasks(settings)
        for _, kind, name in named(section)
        if kind == "Secret"
    )
    return {item.name for item in generated(settings)} | {*filter(None, given), *of_pods}


def _priority_classes(settings: Settings) -> set[str]:
    """Those of pods that tasks must not displace."""
    given = (merged(settings.pods, section) for section in _without_tasks(settings))
    return {one.priority_class_name for one in given if one.priority_class_name is not None}


def _without_tasks(settings: Settings) -> tuple[PodSettings, ...]:
    """The sections of pods that are not made to run tasks."""
    airflow, database, broker = settings.airflow, settings.database, settings.broker
    return (
        airflow.api_server, airflow.scheduler, airflow.dag_processor, airflow.triggerer,
        airflow.jobs, airflow.celery.flower, database.cluster, database.backup, broker.cluster,
    )  # fmt: skip


def reserved(settings: Settings) -> set[str]:
    """The variables that `airflow.configuration` may not set: it would have no effect."""
    release = RELEASES[settings.airflow.version]
    variables = {*managed(settings), *release.secrets.values(), FLOWER_LOGIN}
    return variables | ({release.async_database} if release.async_database else set())


def _defaults(settings: Settings) -> dict[str, str]:
    """Variables for which `airflow.configuration` may have another value."""
    if not RELEASES[settings.airflow.version].execution_api:
        return {}
    # A task that begins while the web component starts, or moves to another node, waits for it: 4
    # minutes on average, by the waits of airflow.sdk.api.client (each longer, up to 90 s). With
    # Airflow's own default of 5 it has failed after 10 s, without having run.
    return {"AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "12"}


def plain(settings: Settings) -> dict[str, str]:
    """The configuration without secrets: the program's variables and `airflow.configuration`."""
    extra = {
        variable(section, option): str(value)
        for section, options in settings.airflow.options.items()
        for option, value in options.items()
    }
    return dict(sorted((_defaults(settings) | managed(settings) | extra).items()))


def from_secrets(settings: Settings) -> tuple[EnvVar, ...]:
    """The variables of `airflow.configuration` whose values are in Secrets."""
    return tuple(
        secret_env(variable(section, option), value.secret, value.key)
        for (section, option), value in settings.airflow.options_in_secrets.items()
    )
