"""Rules about options of `airflow.configuration` that are valid, but do not work with what this
program deploys: its probes, Services, arguments, Roles and images.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ..settings.problems import Fault, Path
from ..settings.schema import Settings
from . import providers
from .configuration import HOME, behind_tls
from .executors import KUBERNETES_QUEUE, Executor
from .options import options
from .releases import RELEASES

Key = tuple[str, str]
"""Section and option."""

TRUE, FALSE = ("true", "t", "1"), ("false", "f", "0")


@dataclass(frozen=True)
class Fixed:
    """The only values of an option, in lower case, and why; none if it may not be set."""

    why: str
    values: tuple[str, ...] = ()


HTTP = Fixed("probes and the Service use http; end TLS at an Ingress and set airflow.url to https")
LISTEN = Fixed("probes use the address of the pod", ("0.0.0.0", "::"))  # noqa: S104
FLOWER = "the probes and the Service of Flower are for /healthcheck on port 5555"
SLOTS = Fixed("set concurrency and maxReplicas in airflow.celery.workers")
FAB = "users are those of FAB, in the database"
OWN_NAMESPACE = "the scheduler may start pods only in its own namespace, as its service account"
SIGNED = "tokens are signed with the generated key in the Secret airflow-keys"
NO_LOG_SERVER = Fixed("logs are on a shared volume, and no component serves them")
CONFIG_FILE = Fixed("it is part of the image", (f"{HOME}/webserver_config.py",))
IMAGE = Fixed("task pods run the image that this program builds; see airflow.tasks.image")

FIXED: dict[Key, Fixed] = {
    ("api", "host"): LISTEN,
    ("api", "ssl_cert"): HTTP,
    ("api", "ssl_key"): HTTP,
    ("api_auth", "jwt_algorithm"): Fixed(SIGNED, ("guess", "hs256", "hs384", "hs512")),
    ("api_auth", "jwt_private_key_path"): Fixed(SIGNED),
    ("api_auth", "trusted_jwks_url"): Fixed(SIGNED),
    ("celery", "celery_config_options"): Fixed(
        "probes look at a file that the image's own makes workers touch; other settings of Celery "
        "go into extra_celery_config"
    ),
    ("celery", "flower_host"): Fixed(FLOWER, LISTEN.values),
    ("celery", "flower_port"): Fixed(FLOWER, ("5555",)),
    ("celery", "flower_url_prefix"): Fixed(FLOWER),
    ("celery", "worker_autoscale"): SLOTS,
    ("celery", "worker_concurrency"): SLOTS,
    ("core", "auth_manager"): Fixed(FAB),
    ("core", "database_access_isolation"): Fixed("no component serves the internal API", FALSE),
    ("core", "default_impersonation"): Fixed(
        "tasks may not change their user: pods have no privileges"
    ),
    ("core", "dags_folder"): Fixed(
        "DAG code is in the dags folder of the image, or comes from Git; see airflow.dags"
    ),
    ("core", "hostname_callable"): Fixed(
        "probes find a component's heartbeat by socket.getfqdn",
        ("airflow.utils.net.getfqdn", "socket.getfqdn"),
    ),
    ("core", "multi_team"): Fixed(
        "users are those of FAB, which has no teams: the API server would not start. Give each "
        "team a repository in airflow.dags.repositories",
        FALSE,
    ),
    ("core", "security"): Fixed("no component renews Kerberos tickets"),
    ("core", "simple_auth_manager_all_admins"): Fixed(FAB),
    ("core", "simple_auth_manager_passwords_file"): Fixed(FAB),
    ("core", "simple_auth_manager_users"): Fixed(FAB),
    ("core", "unit_test_mode"): Fixed(
        "it replaces the configuration by that of Airflow's tests", FALSE
    ),
    ("database", "sql_alchemy_schema"): Fixed("MySQL has no schemas; see database.name"),
    ("database", "sql_engine_collation_for_ids"): Fixed(
        "the tables have Airflow's collation for MySQL", ("utf8mb3_bin",)
    ),
    ("fab", "config_file"): CONFIG_FILE,
    ("kubernetes_executor", "cluster_context"): Fixed(OWN_NAMESPACE),
    ("kubernetes_executor", "config_file"): Fixed(OWN_NAMESPACE),
    ("kubernetes_executor", "in_cluster"): Fixed(OWN_NAMESPACE, TRUE),
    ("kubernetes_executor", "multi_namespace_mode"): Fixed(OWN_NAMESPACE, FALSE),
    ("kubernetes_executor", "multi_namespace_mode_namespace_list"): Fixed(OWN_NAMESPACE),
    ("kubernetes_executor", "worker_container_repository"): IMAGE,
    ("kubernetes_executor", "worker_container_tag"): IMAGE,
    ("logging", "task_log_reader"): Fixed("the handler of tasks' logs has this name", ("task",)),
    ("logging", "trigger_log_server_port"): NO_LOG_SERVER,
    ("logging", "worker_log_server_port"): NO_LOG_SERVER,
    ("scheduler", "num_runs"): Fixed("the scheduler would end, and be started again", ("-1",)),
    ("scheduler", "scheduler_health_check_server_host"): LISTEN,
    ("triggerer", "queues_enabled"): Fixed("the triggerer serves no queues", FALSE),
    ("webserver", "config_file"): CONFIG_FILE,
    ("webserver", "run_internal_api"): Fixed("no component uses the internal API", FALSE),
    ("webserver", "web_server_host"): LISTEN,
    ("webserver", "web_server_ssl_cert"): HTTP,
    ("webserver", "web_server_ssl_key"): HTTP,
}

LEAST: dict[Key, int] = {
    ("api", "maximum_page_limit"): 1,
    ("api_auth", "jwt_expiration_time"): 60,
    ("core", "dag_file_processor_timeout"): 1,
    ("core", "max_active_runs_per_dag"): 1,
    ("core", "max_active_tasks_per_dag"): 1,
    ("core", "max_map_length"): 1,
    ("dag_processor", "dag_file_processor_timeout"): 1,
    ("dag_processor", "parsing_processes"): 1,
    ("database", "max_db_retries"): 1,
    ("database", "migration_batch_size"): 1,
    ("database", "sql_alchemy_pool_size"): 1,
    ("execution_api", "jwt_expiration_time"): 60,
    ("fab", "session_lifetime_minutes"): 1,
    ("scheduler", "max_dagruns_per_loop_to_schedule"): 1,
    ("scheduler", "max_dagruns_to_create_per_loop"): 1,
    ("scheduler", "parsing_processes"): 1,
    ("triggerer", "capacity"): 1,
    ("triggerer", "default_capacity"): 1,
    ("triggerer", "max_trigger_to_select_per_loop"): 1,
    ("webserver", "session_lifetime_minutes"): 1,
    ("workers", "max_failed_heartbeats"): 1,
}
"""The least number with which components work, tasks run and users stay logged in."""

COOKIES = {("fab", "cookie_secure"), ("webserver", "cookie_secure")}

WRITTEN = {
    ("dag_processor", "dag_bundle_storage_path"),
    ("logging", "dag_processor_child_process_log_directory"),
    ("logging", "dag_processor_manager_log_location"),
    ("scheduler", "child_process_log_directory"),
}
"""Paths that Airflow writes to."""

WRITABLE = (f"{HOME}/logs/", "/tmp/")
"""The root file system is read-only."""

REQUIRES: dict[Key, Key] = {
    ("logging", "remote_base_log_folder"): ("logging", "remote_logging"),
    ("logging", "remote_log_conn_id"): ("logging", "remote_logging"),
    ("logging", "remote_task_handler_kwargs"): ("logging", "remote_logging"),
    ("logging", "encrypt_s3_logs"): ("logging", "remote_logging"),
    ("logging", "google_key_path"): ("logging", "remote_logging"),
    ("secrets", "backend_kwargs"): ("secrets", "backend"),
    ("workers", "secrets_backend_kwargs"): ("workers", "secrets_backend"),
}
"""Options that Airflow reads only if another is set, too."""

STORED = {
    ("common.io", "state_store_objectstorage_path"),
    ("common.io", "xcom_objectstorage_path"),
}
"""Addresses of an object storage."""

PACKAGES: dict[Key, dict[str, str]] = {
    ("api", "server_type"): {"gunicorn": "gunicorn"},
    ("celery", "pool"): {"eventlet": "eventlet", "gevent": "gevent"},
    ("metrics", "statsd_datadog_enabled"): dict.fromkeys(TRUE, "datadog"),
    ("sentry", "sentry_on"): dict.fromkeys(TRUE, "sentry-sdk"),
    ("webserver", "worker_class"): {"eventlet": "eventlet", "gevent": "gevent"},
}
"""The Python package that a value requires, by the value in lower case."""


READ = {
    *FIXED,
    *REQUIRES.values(),
    *PACKAGES,
    *STORED,
    *WRITTEN,
    ("dag_processor", "dag_bundle_config_list"),
    ("logging", "log_filename_template"),
    ("logging", "logging_config_class"),
    ("logging", "remote_base_log_folder"),
    ("operators", "default_queue"),
}
"""Texts by which this program decides what it deploys, or refuses it."""


class Heartbeat(NamedTuple):
    """Seconds between two heartbeats; `dead` is the option for the seconds after which Airflow
    counts their sender as dead, `limit` is what this program's own checks take for it.

    The limits are those of images/airflow/guard_release.py and wait_for_tasks.py.
    """

    option: Key
    dead: Key
    limit: int


HEARTBEATS = (
    Heartbeat(("scheduler", "job_heartbeat_sec"), ("dag_processor", "health_check_threshold"), 30),
    Heartbeat(
        ("scheduler", "scheduler_heartbeat_sec"),
        ("scheduler", "scheduler_health_check_threshold"),
        30,
    ),
    Heartbeat(
        ("triggerer", "job_heartbeat_sec"), ("triggerer", "triggerer_health_check_threshold"), 30
    ),
    Heartbeat(
        ("scheduler", "task_instance_heartbeat_sec"),
        ("scheduler", "task_instance_heartbeat_timeout"),
        120,
    ),
    Heartbeat(
        ("scheduler", "local_task_job_heartbeat_sec"),
        ("scheduler", "scheduler_zombie_task_threshold"),
        120,
    ),
)


def problems(settings: Settings) -> Iterator[Fault]:
    """Path and message of every option that does not work with what this program deploys."""
    given = _given(settings)
    executor = RELEASES[settings.airflow.version].executor(settings.airflow.executor)
    for key, text in given.items():
        message = _problem(settings, executor, given, key, text)
        if message is not None:
            yield _path(key), message
    for key in settings.airflow.options_in_secrets:
        if key in READ:
            yield _path(key), "this program has to know the value; write it instead of a Secret"
        elif key in REQUIRES and (message := _without_effect(given, key)):
            yield _path(key), message
    yield from _heartbeats(settings, given)
    yield from _remote_logs(settings, given)


def warnings(settings: Settings) -> Iterator[str]:
    """Messages about options without effect, and tasks that may fail without having run."""
    release = RELEASES[settings.airflow.version]
    executor = release.executor(settings.airflow.executor)
    for section in settings.airflow.configuration:
        if not _used(section, executor):
            yield (
                f"airflow.configuration.{section}: no effect with {executor.name}; it is for "
                "other executors"
            )
    if not executor.celery:
        return
    workers = settings.airflow.celery.workers
    for name, values in workers.items():
        if executor.kubernetes and set(values.queues) == {KUBERNETES_QUEUE}:
            yield (
                f"airflow.celery.workers.{name}: gets no task; those of the queue "
                f"{KUBERNETES_QUEUE} run in pods of their own"
            )


def _given(settings: Settings) -> dict[Key, str]:
    """The options of `airflow.configuration`, as Airflow reads them."""
    return {
        (section, option): str(value)
        for section, options in settings.airflow.options.items()
        for option, value in options.items()
    }


def _path(key: Key) -> Path:
    return ("airflow", "configuration", *key)


def _problem(
    settings: Settings, executor: Executor, given: Mapping[Key, str], key: Key, text: str
) -> str | None:
    fixed = FIXED.get(key)
    if fixed is not None and text and text.lower() not in fixed.values:
        must = f"must stay {fixed.values[0]}" if fixed.values else "cannot be set"
        return f"{must}: {fixed.why}"
    if key == ("logging", "log_filename_template") and executor.kubernetes:
        return (
            f"cannot be set with {executor.name}: why a pod does not start is written next to the "
            "task's log, at Airflow's own path"
        )
    number = _number(settings, given, key)
    if key in LEAST and number is not None and number < LEAST[key]:
        return f"must be at least {LEAST[key]}"
    if key in COOKIES and is_true(text) and not behind_tls(settings):
        return "browsers send such cookies by https alone: set airflow.url to the https address"
    several = settings.airflow.scheduler.replicas > 1
    if key == ("scheduler", "use_row_level_locking") and not is_true(text) and several:
        return "must stay true with more than one scheduler: see airflow.scheduler.replicas"
    if key in WRITTEN and not text.startswith(WRITABLE):
        return f"must be below {' or '.join(WRITABLE)}: pods can write nowhere else"
    if key == ("celery", "ssl_active") and is_true(text) and settings.broker.mode == "cluster":
        return "cannot be true: the Redis in the cluster has no TLS; see broker.mode"
    if key in REQUIRES and text and (message := _without_effect(given, key)):
        return message
    if key[1].endswith("_secret") and not given.get(("secrets", "backend")):
        plain = options(settings.airflow.version).get(key[0], key[1].removesuffix("_secret"))
        if plain is not None and plain.sensitive:
            return "no effect without secrets.backend; set that too, or remove this"
    package = PACKAGES.get(key, {}).get(text.lower())
    wanted = providers.of_paths(text) | ({package} if package else set())
    wanted |= providers.of_storage(text) if key in STORED else set()
    absent = next((name for name in sorted(wanted) if not providers.locked(settings, name)), None)
    return f"requires {providers.missing(settings, absent)}" if absent else None


def _without_effect(given: Mapping[Key, str], key: Key) -> str | None:
    """Why an option has none, unless the one that it requires is set."""
    if given.get(REQUIRES[key], "").lower() not in ("", *FALSE):
        return None
    section, option = REQUIRES[key]
    return f"no effect without {section}.{option}; set that too, or remove this"


def is_true(text: str) -> bool:
    """Whether Airflow reads the value of an option as true."""
    return text.lower() in TRUE


def _heartbeats(settings: Settings, given: Mapping[Key, str]) -> Iterator[Fault]:
    for key, dead, limit in HEARTBEATS:
        every, after = _number(settings, given, key), _number(settings, given, dead)
        if key in given and every is not None and every >= limit:
            yield (
                _path(key),
                f"must be less than {limit}: what has had no heartbeat for {limit} s counts as "
                "dead in this program's checks",
            )
        elif every is not None and after is not None and after <= every and {key, dead} & {*given}:
            yield (
                _path(dead if dead in given else key),
                f"{'.'.join(dead)} is {after:g} s and {'.'.join(key)} {every:g} s: everything "
                "would count as dead between two heartbeats; make the first several times as long",
            )


def _number(settings: Settings, given: Mapping[Key, str], key: Key) -> float | None:
    """The value of an option, or its default; None if the release lacks it or it is no number."""
    option = options(settings.airflow.version).get(*key)
    if option is None:
        return None
    try:
        return float(given[key]) if key in given else option.default
    except ValueError:
        return None


def _remote_logs(settings: Settings, given: Mapping[Key, str]) -> Iterator[Fault]:
    """Airflow imports the provider of remote logs in every component, at its start."""
    switch, folder = ("logging", "remote_logging"), ("logging", "remote_base_log_folder")
    if not is_true(given.get(switch, "")) or given.get(("logging", "logging_config_class")):
        return
    hosts = {("elasticsearch", "host"), ("opensearch", "host")}
    if any(map(given.get, hosts)) or hosts & settings.airflow.options_in_secrets.keys():
        return
    package = providers.of_remote_logs(given.get(folder, ""))
    if package is None:
        starts = ", ".join(providers.REMOTE_LOGS)
        yield (
            _path(folder if folder in given else switch),
            f"remote logging requires a remote_base_log_folder that begins with one of {starts}",
        )
    elif not providers.locked(settings, package):
        yield _path(folder), f"requires {providers.missing(settings, package)}"


def _used(section: str, executor: Executor) -> bool:
    """Whether the executor, if any, reads the section."""
    if section in ("celery_kubernetes_executor", "local_kubernetes_executor"):
        return section.replace("_", "") == executor.setting.lower()
    if section == "kubernetes_executor":
        return executor.kubernetes
    return executor.celery or not section.startswith("celery")
