"""`airflow.configuration`: what Airflow would ignore, cannot read, or what this program breaks."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from airflow_kubernetes.airflow.configuration import managed
from airflow_kubernetes.airflow.options import LOCKS, options, variable
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS, RELEASES
from airflow_kubernetes.environment import load
from airflow_kubernetes.rules import warnings
from airflow_kubernetes.settings.problems import SettingsError

Options = dict[str, dict[str, Any]]

CELERY = "airflow.executor=CeleryExecutor"

BUNDLE = '{"name": "a", "classpath": "b.C", "kwargs": {}}'

S3 = {"remote_logging": True, "remote_base_log_folder": "s3://logs"}


def given(configuration: Options, overrides: str) -> str:
    """Overrides, which are separated by spaces."""
    text = json.dumps(configuration, separators=(",", ":")).replace(" ", "\\u0020")
    return f"{overrides} airflow.configuration={text}"


def refused(configuration: Options, overrides: str = "") -> list[str]:
    """The lines of the problems, each without its file."""
    try:
        load("dev", given(configuration, overrides))
    except SettingsError as error:
        return [f"{each.path}: {each.message}" for each in error.problems]
    return []


def warned(configuration: Options, overrides: str = "") -> list[str]:
    found = warnings(load("dev", given(configuration, overrides)))
    return [text for text in found if text.startswith("airflow.")]


UNKNOWN: dict[str, list[tuple[Options, str]]] = {
    CURRENT: [
        # Misspelled, in the wrong section, in another case, no name at all.
        ({"core": {"paralelism": 3}}, "parallelism is set by this program"),
        ({"core": {"max_active_runs_per_dags": 3}}, "did you mean max_active_runs_per_dag?"),
        ({"core": {"logging_levl": "INFO"}}, "did you mean logging_level in [logging]?"),
        ({"core": {"logging_level": "INFO"}}, "logging_level is in [logging]"),
        ({"scheduler": {"max_active_runs_per_dag": 3}}, "max_active_runs_per_dag is in [core]"),
        ({"core": {"Load_Default_X": 1}}, "unknown option; remove it"),
        ({"core": {"MAX_ACTIVE_RUNS_PER_DAG": 3}}, "did you mean max_active_runs_per_dag?"),
        ({"Core": {"max_active_runs_per_dag": 3}}, "such section. Did you mean core?"),
        ({"cores": {"a": 1}}, "such section. Did you mean core?"),
        ({"bad section": {"a": 1}}, "should be"),
        ({"core": {"bad option": 1}}, "should be"),
        ({"common_io": {"xcom_objectstorage_path": "x"}}, "Did you mean common.io?"),
        ({"my_plugin": {"a": 1}}, "of your own code go into images/airflow/airflow.cfg"),
        # Other releases.
        ({"scheduler": {"dag_dir_list_interval": 5}}, "write refresh_interval in [dag_processor]"),
        ({"webserver": {"cookie_secure": True}}, "write cookie_secure in [fab]"),
        ({"webserver": {"page_size": 5}}, "write fallback_page_limit in [api]"),
        ({"webserver": {"base_url": "x"}}, "this program sets base_url in [api]"),
        ({"webserver": {"x_frame_enabled": True}}, "nothing in its place; remove it"),
        ({"core": {"sql_alchemy_pool_size": 5}}, "write sql_alchemy_pool_size in [database]"),
        ({"core": {"check_slas": True}}, "SLA feature is removed"),
        ({"smtp": {"smtp_password": "x"}}, "use the SMTP connection"),
        ({"smtp": {"smtp_password_cmd": "x"}}, "use the SMTP connection"),
        # Providers that are not locked.
        ({"aws": {"cloudwatch_task_handler_json_serializer": "a.b"}}, "providers-amazon, which"),
        ({"elasticsearch": {"host": "x"}}, "providers-elasticsearch, which is not in the image"),
        ({"core": {"xcom_backend": "airflow.providers.amazon.x.Y"}}, "requires apache-airflow-p"),
        (
            {"secrets": {"backend": "airflow.providers.hashicorp.secrets.vault.VaultBackend"}},
            "requires apache-airflow-providers-hashicorp, which is not in the image of Airflow "
            f"{CURRENT}; add it to images/airflow/requirements.in and run make lock",
        ),
        (
            {"email": {"email_backend": "airflow.providers.microsoft.azure.x.send"}},
            "requires apache-airflow-providers-microsoft-azure",
        ),
        # Commands and secrets are for sensitive options only.
        ({"core": {"max_active_runs_per_dag_cmd": "x"}}, "is not a sensitive option"),
        ({"core": {"fernet_key_cmd": "x"}}, "this program sets fernet_key itself"),
        ({"sentry": {"sentry_dsn_secret": "x"}}, "no effect without secrets.backend"),
        ({"sentry": {"before_sendd": "a.b"}}, "did you mean before_send?"),
        # Values that Airflow cannot read.
        ({"core": {"max_active_runs_per_dag": "many"}}, "must be a whole number, not 'many'"),
        ({"core": {"max_active_runs_per_dag": 1.5}}, "must be a whole number, not '1.5'"),
        ({"core": {"max_active_runs_per_dag": ""}}, "must be a whole number, not ''"),
        ({"scheduler": {"scheduler_idle_sleep_time": "soon"}}, "must be a number"),
        ({"scheduler": {"scheduler_idle_sleep_time": "nan"}}, "must be a number"),
        ({"core": {"dags_are_paused_at_creation": "yes"}}, "must be true or false, not 'yes'"),
        ({"core": {"default_timezone": "Europe/Berlinn"}}, "a zone such as Europe/Berlin"),
        ({"logging": {"logging_level": "LOUD"}}, "must be CRITICAL, FATAL, ERROR"),
        ({"logging": {"logging_level": "info"}}, "DEBUG, not 'info'"),
        ({"logging": {"namespace_levels": "botocore=LOUD"}}, "pairs such as sqlalchemy=INFO"),
        ({"metrics": {"statsd_port": 99999}}, "must be a port from 1 to 65535"),
        ({"secrets": {"backend": "VaultBackend"}}, "must be the path of a Python object"),
        ({"celery": {"extra_celery_config": "{"}}, "must be JSON"),
        ({"celery": {"extra_celery_config": "[]"}}, "must be a JSON object"),
        ({"core": {"max_active_runs_per_dag": 10**12}}, "must be at most 2147483647"),
        ({"core": {"default_task_retries": -1}}, "must be at least 0, not '-1'"),
        ({"core": {"daemon_umask": "rwx"}}, "must be octal digits"),
        ({"core": {"allowed_deserialization_classes_regexp": "a.* (b"}}, "regular expressions"),
        ({"scheduler": {"allowed_run_id_pattern": "*"}}, "must be a regular expression"),
        ({"metrics": {"metrics_allow_list": "scheduler,*dag"}}, "must be regular expressions"),
        ({"api": {"expose_config": "partly"}}, "must be true, false or non-sensitive-only"),
        ({"api": {"theme": "dark"}}, "must be a JSON object"),
        ({"fab": {"auth_rate_limit": "5 per blink"}}, "must be limits such as"),
        ({"logging": {"callsite_parameters": "line"}}, "must be names of filename, func_name"),
        ({"kubernetes_executor": {"kube_client_request_args": "[1]"}}, "must be a JSON object"),
        ({"kubernetes_executor": {"delete_worker_pods": "never"}}, "must be true or false"),
        ({"workers": {"secrets_backend": "Vault"}}, "must be the path of a Python object"),
        ({"dag_processor": {"dag_version_inflation_check_level": "warn"}}, "off, warning or error"),
    ],
    PREVIOUS: [
        ({"api": {"expose_config": True}}, "write expose_config in [webserver]"),
        ({"dag_processor": {"refresh_interval": 5}}, "write dag_dir_list_interval in [scheduler]"),
        ({"api": {"port": 80}}, "this program sets web_server_port in [webserver]"),
        ({"execution_api": {"jwt_audience": "x"}}, "nothing in its place"),
        ({"core": {"dag_concurrency": 5}}, "write max_active_tasks_per_dag in [core]"),
        ({"webserver": {"dag_default_view": "tree"}}, "must be grid, graph, duration"),
        ({"core": {"auth_manager": "my.auth.Manager"}}, "users are those of FAB"),
        ({"webserver": {"web_server_ssl_cert": "/a"}}, "end TLS at an Ingress"),
        ({"scheduler": {"child_process_log_directory": "/data"}}, "can write nowhere else"),
        ({"core": {"task_runner": "CgroupTaskRunner"}}, "must be StandardTaskRunner or the path"),
        ({"webserver": {"caching_hash_method": "md4"}}, "must be md5, sha1"),
        ({"webserver": {"default_ui_timezone": "Mars"}}, "a zone such as Europe/Berlin"),
        ({"webserver": {"web_server_worker_timeout": "2m"}}, "must be a whole number"),
    ],
}
"""Problems with every executor, by release."""

COMBINATIONS: list[tuple[Options, str, str]] = [
    ({"core": {"hostname_callable": "airflow.utils.net.get_host_ip_address"}}, "", "socket.getfqd"),
    ({"core": {"dags_folder": "/data"}}, "", "see airflow.dags"),
    ({"core": {"default_impersonation": "me"}}, "", "pods have no privileges"),
    ({"core": {"max_active_tasks_per_dag": 0}}, "", "must be at least 1"),
    ({"execution_api": {"jwt_expiration_time": 5}}, "", "must be at least 60"),
    ({"fab": {"config_file": "/data/config.py"}}, "", "it is part of the image"),
    ({"logging": {"task_log_reader": "s3.task"}}, "", "must stay task"),
    ({"scheduler": {"num_runs": 5}}, "", "must stay -1"),
    ({"triggerer": {"queues_enabled": True}}, "", "the triggerer serves no queues"),
    ({"common.io": {"xcom_objectstorage_path": "s3://a"}}, "", "apache-airflow-providers-amazon"),
    ({"core": {"unit_test_mode": True}}, "", "must stay false"),
    ({"core": {"simple_auth_manager_all_admins": True}}, "", "users are those of FAB"),
    ({"core": {"security": "kerberos"}}, "", "no component renews Kerberos tickets"),
    ({"api": {"host": "127.0.0.1"}}, "", "must stay 0.0.0.0"),
    ({"api": {"ssl_cert": "/a", "ssl_key": "/b"}}, "", "end TLS at an Ingress"),
    ({"api": {"server_type": "gunicorn"}}, "", "requires gunicorn, which is not in the image"),
    ({"api_auth": {"trusted_jwks_url": "https://a/b"}}, "", "in the Secret airflow-keys"),
    ({"scheduler": {"scheduler_health_check_server_host": "::1"}}, "", "must stay 0.0.0.0"),
    ({"scheduler": {"job_heartbeat_sec": 60}}, "", "must be less than 30"),
    ({"triggerer": {"job_heartbeat_sec": 60}}, "", "must be less than 30"),
    ({"scheduler": {"scheduler_heartbeat_sec": 45}}, "", "must be less than 30"),
    ({"scheduler": {"scheduler_health_check_threshold": 5}}, "", "dead between two heartbeats"),
    ({"triggerer": {"triggerer_health_check_threshold": 1}}, "", "dead between two heartbeats"),
    ({"scheduler": {"task_instance_heartbeat_sec": 300}}, "", "must be less than 120"),
    ({"logging": {"log_filename_template": "x.log"}}, "", "cannot be set with KubernetesExecutor"),
    ({"logging": {"worker_log_server_port": 1}}, "", "logs are on a shared volume"),
    ({"logging": S3}, "", "requires apache-airflow-providers-amazon, which is not in the image"),
    ({"logging": S3}, f"airflow.version={PREVIOUS}", "requires apache-airflow-providers-amazon"),
    ({"logging": S3 | {"remote_base_log_folder": "gs://a"}}, "", "apache-airflow-providers-google"),
    ({"logging": S3 | {"remote_base_log_folder": "wasb-a"}}, "", "providers-microsoft-azure"),
    ({"logging": S3 | {"remote_base_log_folder": "cloudwatch://a"}}, "", "providers-amazon"),
    ({"logging": S3 | {"remote_base_log_folder": "/data"}}, "", "that begins with one of s3://"),
    ({"logging": {"remote_logging": True}}, "", "requires a remote_base_log_folder"),
    ({"logging": {"remote_log_conn_id": "aws"}}, "", "no effect without logging.remote_logging"),
    ({"secrets": {"backend_kwargs": "{}"}}, "", "no effect without secrets.backend"),
    ({"sentry": {"sentry_on": True}}, "", "requires sentry-sdk"),
    ({"metrics": {"statsd_datadog_enabled": True}}, "", "requires datadog"),
    ({"core": {"hostname_callable": "socket:gethostname"}}, "", "must be the path of a Python"),
    ({"core": {"auth_manager": "my.auth.Manager"}}, "", "set by this program"),
    ({"fab": {"cookie_secure": True}}, "airflow.url=http://a", "set airflow.url to the https"),
    ({"fab": {"cookie_secure": False}}, "airflow.url=https://a", "set by this program"),
    *(
        ({"dag_processor": {"dag_bundle_config_list": text}}, "", "name, each once, classpath and")
        for text in ("[1]", "{}", '[{"name": "a", "classpath": "b.C"}]', f"[{BUNDLE}, {BUNDLE}]")
    ),
    ({"dag_processor": {"dag_bundle_storage_path": "/data"}}, "", "can write nowhere else"),
    (
        {"scheduler": {"use_row_level_locking": False}},
        "airflow.scheduler.replicas=2",
        "with more than one scheduler",
    ),
    ({"database": {"sql_alchemy_pool_size": 0}}, "", "must be at least 1"),
    ({"database": {"sql_alchemy_max_overflow": -1}}, "", "must be at least 0"),
    ({"database": {"sql_alchemy_schema": "airflow"}}, "", "MySQL has no schemas"),
    ({"database": {"sql_engine_collation_for_ids": "utf8mb4_bin"}}, "", "must stay utf8mb3_bin"),
    ({"kubernetes_executor": {"multi_namespace_mode": True}}, "", "only in its own namespace"),
    ({"kubernetes_executor": {"in_cluster": False}}, "", "must stay true"),
    ({"kubernetes_executor": {"worker_container_tag": "1"}}, "", "see airflow.tasks.image"),
    ({"celery": {"celery_config_options": "a.b"}}, CELERY, "extra_celery_config"),
    ({"celery": {"worker_concurrency": 4}}, CELERY, "airflow.celery.workers"),
    ({"celery": {"worker_autoscale": "4,1"}}, CELERY, "airflow.celery.workers"),
    ({"celery": {"flower_port": 80}}, CELERY, "must stay 5555"),
    ({"celery": {"flower_url_prefix": "/flower"}}, CELERY, "cannot be set"),
    ({"celery": {"pool": "gevent"}}, CELERY, "requires gevent"),
    ({"celery": {"ssl_active": True}}, CELERY, "the Redis in the cluster has no TLS"),
    ({"operators": {"default_queue": "big"}}, CELERY, "no set of workers serves the queue big"),
]

GOOD: list[tuple[Options, str]] = [
    ({}, ""),
    ({"core": {}}, ""),
    ({"core": {"max_active_runs_per_dag": "16", "default_timezone": "Europe/Berlin"}}, ""),
    ({"core": {"hostname_callable": "airflow.utils.net.getfqdn"}}, ""),
    ({"scheduler": {"job_heartbeat_sec": 10, "scheduler_idle_sleep_time": 1}}, ""),
    ({"scheduler": {"num_runs": -1, "max_tis_per_query": 0}}, ""),
    ({"core": {"dagbag_import_timeout": -1, "daemon_umask": "0o027"}}, ""),
    ({"core": {"allowed_deserialization_classes_regexp": r"a\.b.* c\.D"}}, ""),
    ({"api": {"expose_stacktrace": True, "theme": '{"tokens": {}}'}}, ""),
    ({"fab": {"auth_rate_limit": "5 per 40 second; 100/hour"}}, ""),
    ({"logging": {"file_task_handler_new_folder_permissions": "770"}}, ""),
    ({"metrics": {"metrics_allow_list": "scheduler,^executor,dag.*"}}, ""),
    ({"dag_processor": {"dag_bundle_config_list": f"[{BUNDLE}]"}}, ""),
    ({"dag_processor": {"stale_bundle_cleanup_interval": -1}}, ""),
    ({"workers": {"execution_api_timeout": 0.5}}, ""),
    ({"api": {"expose_config": "non-sensitive-only", "instance_name": "Ours"}}, ""),
    ({"logging": {"logging_level": "DEBUG", "namespace_levels": "a=INFO,b.c=ERROR"}}, ""),
    ({"common.io": {"xcom_objectstorage_path": "file:///tmp/x"}}, ""),
    ({"secrets": {"backend": "airflow.secrets.local_filesystem.LocalFilesystemBackend"}}, ""),
    ({"sentry": {"sentry_dsn_cmd": "cat /dsn", "environment": "dev"}}, ""),
    ({"smtp": {"smtp_host": "mail", "smtp_password": "x"}}, f"airflow.version={PREVIOUS}"),
    ({"webserver": {"page_size": 50}}, f"airflow.version={PREVIOUS}"),
    ({"celery_broker_transport_options": {"global_keyprefix": "a"}}, CELERY),
    ({"celery": {"worker_prefetch_multiplier": 1, "pool": "prefork"}}, CELERY),
    ({"operators": {"default_queue": "kubernetes"}}, CELERY),
    ({"logging": {"log_filename_template": "x.log"}}, CELERY),
]


@pytest.mark.parametrize("version", RELEASES)
def test_what_airflow_would_ignore_or_cannot_read_is_refused(version: str) -> None:
    for configuration, words in UNKNOWN[version]:
        lines = refused(configuration, f"airflow.version={version}")
        assert len(lines) == 1, (configuration, lines)
        assert words in lines[0]
        assert lines[0].startswith("airflow.configuration")


def test_what_does_not_work_beside_the_other_objects_is_refused() -> None:
    for configuration, overrides, words in COMBINATIONS:
        lines = refused(configuration, overrides)
        assert [words in line for line in lines] == [True] * len(lines), lines
        assert 1 <= len(lines) <= len(next(iter(configuration.values()))), configuration


def test_what_airflow_reads_is_accepted() -> None:
    for configuration, overrides in GOOD:
        assert refused(configuration, overrides) == []


def test_remote_logs_are_accepted_once_their_provider_is_locked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = frozenset({"apache-airflow-providers-amazon"})
    monkeypatch.setattr("airflow_kubernetes.airflow.providers.packages", lambda *_: names)
    assert refused({"logging": S3}) == []


def test_options_without_effect_are_announced() -> None:
    (unused,) = warned({"celery": {"worker_prefetch_multiplier": 1}})
    assert unused.startswith("airflow.configuration.celery: no effect with KubernetesExecutor")


@pytest.mark.parametrize("version", RELEASES)
def test_waiting_for_a_worker_is_no_failure(version: str) -> None:
    # Upstream fails a task the third time that it has waited for task_queued_timeout.
    waits = {
        executor: int(
            managed(load("dev", f"airflow.version={version} airflow.executor={executor}")).get(
                "AIRFLOW__SCHEDULER__NUM_STUCK_IN_QUEUED_RETRIES", "2"
            )
        )
        for executor in ("CeleryExecutor", "CeleryKubernetesExecutor", "KubernetesExecutor")
    }
    assert waits.pop("KubernetesExecutor") == 2
    assert all(retries > 10**6 for retries in waits.values())
    assert warned({}, f"{CELERY} airflow.parallelism=1000") == []


def test_variables_of_tasks_that_this_program_sets_are_refused() -> None:
    names = {
        "DATABASE_PASSWORD": "use another name",
        "AIRFLOW__CORE__EXECUTOR": "use another name",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "use another name",
        "AIRFLOW_HOME": "use another name",
        "AIRFLOW__CORE__MAX_ACTIVE_RUNS_PER_DAG": "set it in airflow.configuration",
    }
    env = " ".join(f"airflow.tasks.env.{name}=x" for name in names)
    lines = refused({}, env)
    assert len(lines) == len(names)
    for (name, words), line in zip(sorted(names.items()), sorted(lines), strict=True):
        assert line.startswith(f"airflow.tasks.env.{name}: ")
        assert words in line
    assert refused({}, "airflow.tasks.env.AIRFLOW_VAR_A=x airflow.tasks.env.A=z") == []


def test_a_variable_has_the_name_that_airflow_reads() -> None:
    assert variable("core", "parallelism") == "AIRFLOW__CORE__PARALLELISM"
    assert variable("common.io", "a_b") == "AIRFLOW__COMMON_IO__A_B"


@pytest.mark.parametrize("version", RELEASES)
def test_options_are_those_of_the_locked_packages(version: str) -> None:
    written = json.loads((LOCKS / f"{version}-options.json").read_text())["packages"]
    for lock in LOCKS.glob(f"{version}-py*.txt"):
        pins = re.findall(r"^(apache-airflow[a-z0-9-]*)==(\S+)", lock.read_text(), re.MULTILINE)
        assert dict(pins) == written, f"run make lock: {lock.name}"


@pytest.mark.parametrize("version", RELEASES)
def test_what_this_program_sets_are_options_of_the_release(version: str) -> None:
    known = {
        variable(section, option)
        for section, items in options(version).sections.items()
        for option in items
    }
    release = RELEASES[version]
    own = {*release.configuration, *release.web.variables.values(), *release.web.behind_tls}
    own |= {*release.secrets.values()}
    assert {name for name in own if name.startswith("AIRFLOW__")} <= known


def test_a_missing_or_damaged_file_of_options_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_kubernetes.airflow.options.LOCKS", tmp_path)
    texts = ["", "{}", "[]", "null", '{"options": [], "moved": {}}', "[" * 100_000]
    texts.append('{"options": {"core": {"a": {"typ": 1}}}, "moved": {}}')
    for number, text in enumerate(texts):
        (tmp_path / f"{number}-options.json").write_text(text)
    for version in (*map(str, range(len(texts))), "9.9.9"):
        with pytest.raises(SettingsError, match=f"{version}-options.json: is missing or damaged"):
            options(version)


IN_SECRET = {"secret": "mine", "key": "k"}


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"sentry": {"sentry_dsn": IN_SECRET}}, ""),
        ({"core": {"max_active_tasks_per_dag": IN_SECRET}}, "write the value"),
        ({"core": {"fernet_key": IN_SECRET}}, "set by this program"),
        ({"core": {"lazzy": IN_SECRET}}, "unknown option"),
        ({"core": {"default_timezone": {"secret": "mine"}}}, "default_timezone.key: missing"),
        ({"core": {"default_timezone": IN_SECRET | {"x": 1}}}, "x: unknown key"),
        ({"operators": {"default_queue": IN_SECRET}}, "this program has to know the value"),
        ({"core": {"dags_folder": IN_SECRET}}, "this program has to know the value"),
        ({"secrets": {"backend_kwargs": IN_SECRET}}, "no effect without secrets.backend"),
        ({"sentry": {"sentry_dsn": IN_SECRET | {"secret": "airflow-keys"}}}, "this program makes"),
    ],
)
def test_a_value_may_be_in_a_secret_unless_this_program_reads_it(
    configuration: Options, message: str
) -> None:
    problems = refused(configuration)
    assert [message in problem for problem in problems] == ([True] if message else [])
