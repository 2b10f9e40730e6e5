"""The top-level keys of the official chart, 1.15 to 1.22 (apache/airflow, chart/values.yaml)."""

from collections.abc import Mapping
from typing import Any

from ..airflow.releases import CURRENT, PREVIOUS
from .components import (
    NO_ANNOTATIONS,
    NOT_YET,
    PLACED,
    PRIVILEGES,
    autoscaled,
    component,
    job,
    pod,
    workers,
)
from .pods import UNLIKE, Rule, env, env_from, mounts, secrets, volumes
from .result import Result
from .rules import TEMPLATE, Table, each, says, to, unless

FIXED_NAMES = "names are fixed: each Airflow has a namespace of its own"
OWN_IMAGE = (
    "the image is built from images/airflow; its packages go into images/airflow/requirements.in "
    "and images.airflow.systemPackages, and make lock"
)
POSTGRES = "MySQL is the metadata database here; data of PostgreSQL does not move with the values"
INGRESS = f"{NOT_YET}: write the Ingress yourself, as in docs/production.md, and set airflow.url"
NO_KEYS = "do not write keys into values: put it into a Secret, and name that in secrets."


def table(executor: str) -> Table:
    """The rules of all keys, with an executor."""
    rules: dict[str, Rule] = dict(_TOP)
    for name, section in (
        ("apiServer", "airflow.apiServer"),
        ("webserver", "airflow.apiServer"),
        ("scheduler", "airflow.scheduler"),
        ("dagProcessor", "airflow.dagProcessor"),
        ("triggerer", "airflow.triggerer"),
    ):
        rules |= _below(name, component(section) | _OWN.get(name, {}))
    rules |= _below("flower", pod("airflow.celery.flower") | _FLOWER)
    redis = pod("broker.cluster")
    del redis["persistence"]  # _REDIS has its parts
    rules |= _below("redis", redis | _REDIS)
    rules |= _below("migrateDatabaseJob", job("airflow.jobs") | _MIGRATE)
    rules |= _below("createUserJob", job("airflow.jobs") | _USER)
    rules |= _below("cleanup", job("airflow.jobs") | _CLEANUP)
    rules["workers"] = workers(executor)
    return rules


def _below(name: str, table: Table) -> dict[str, Rule]:
    return {f"{name}.{key}": rule for key, rule in table.items()}


def _version(value: Any) -> str:
    return PREVIOUS if str(value).startswith("2") else CURRENT


def _release(result: Result, source: str, value: Any) -> None:
    result.set("airflow.version", _version(value), source)
    if str(value) != _version(value):
        result.note(source, f"{value} becomes {_version(value)}, the release of its line here")


def _config(result: Result, source: str, value: Any) -> None:
    """Sections of airflow.cfg. What the program refuses is taken back by the check of the whole."""
    if not isinstance(value, Mapping) or not all(map(_is_section, value.values())):
        result.note(source, UNLIKE)
        return
    for section, options in value.items():
        for option, text in (options or {}).items():
            place = f"{source}.{section}.{option}"
            if isinstance(text, str) and "{{" in text:
                result.note(place, TEMPLATE)
            elif (own := _OPTIONS.get((section, option))) is not None:
                result.set(own, text, place)
            elif text is not None:
                result.set(f"airflow.configuration.{section}.{option}", text, place)


def _is_section(options: Any) -> bool:
    return options is None or isinstance(options, Mapping)


_OPTIONS = {
    ("core", "executor"): "airflow.executor",
    ("core", "parallelism"): "airflow.parallelism",
    ("celery", "worker_concurrency"): "airflow.celery.workers.default.concurrency",
    ("api", "base_url"): "airflow.url",
    ("api", "workers"): "airflow.apiServer.workers",
    ("webserver", "base_url"): "airflow.url",
    ("webserver", "workers"): "airflow.apiServer.workers",
    ("scheduler", "task_queued_timeout"): "airflow.tasks.pendingTimeout",
}
"""Options that are settings here."""


def _connection(result: Result, source: str, value: Any) -> None:
    """`data.metadataConnection`."""
    if not isinstance(value, Mapping):
        result.note(source, UNLIKE)
        return
    if not str(value.get("protocol", "postgresql")).startswith("mysql"):
        result.note(source, POSTGRES)
        return
    result.set("database.mode", "external", source)
    for key, setting in (("host", "external.host"), ("port", "external.port"), ("db", "name")):
        if value.get(key) is not None:
            result.set(f"database.{setting}", value[key], f"{source}.{key}")
    result.note(
        source,
        "put user and pass into a Secret with the keys username and password, and name it in "
        "database.external.secret",
    )


def _pull_secrets(result: Result, source: str, value: Any) -> None:
    items = value if isinstance(value, list) else [value]
    names = [item.get("name") if isinstance(item, Mapping) else item for item in items]
    result.set("images.imagePullSecrets", names, source)


def _existing(setting: str, key: str) -> Rule:
    """A Secret with a key or password, by the chart's key in it."""

    def rule(result: Result, source: str, value: Any) -> None:
        result.set(f"secrets.{setting}", {"secret": value, "key": key}, source)

    return rule


def _image(setting: str) -> Rule:
    def rule(result: Result, source: str, value: Any) -> None:
        if not isinstance(value, Mapping) or not value.get("repository"):
            result.note(source, f"name repository, tag and digest together in {setting}")
            return
        tag = f":{value['tag']}" if value.get("tag") else ""
        digest = f"@{value['digest']}" if value.get("digest") else ""
        result.set(setting, f"{value['repository']}{tag}{digest}", source)

    return rule


_GIT = {
    "repo": "repository", "branch": "ref", "rev": "ref", "ref": "ref", "subPath": "folder",
    "wait": "interval", "period": "interval", "credentialsSecret": "secret",
    "sshKeySecret": "secret",
}  # fmt: skip
"""Settings below airflow.dags.git, by the chart's key; where two are the same, the last counts."""


def _git(result: Result, source: str, value: Any) -> None:
    """`dags.gitSync`."""
    if not isinstance(value, Mapping):
        result.note(source, UNLIKE)
        return
    if not value.get("enabled"):
        return
    git = "airflow.dags.git"
    result.set("airflow.dags.source", "git", f"{source}.enabled")
    for key, setting in _GIT.items():
        given = value.get(key)
        if given in (None, "", "HEAD"):
            continue
        if key in ("wait", "period"):
            given = int(str(given).removesuffix("s")) if str(given).rstrip("s").isdigit() else given
        result.set(f"{git}.{setting}", given, f"{source}.{key}")
    if value.get("credentialsSecret"):
        result.note(f"{source}.credentialsSecret", "its keys here are username and password")
    if value.get("sshKeySecret") or value.get("knownHosts"):
        result.note(
            f"{source}.sshKeySecret", "its keys here are ssh (the private key), known_hosts"
        )
    for key in sorted({*value} - {*_GIT, "enabled", "knownHosts"}):
        result.note(
            f"{source}.{key}", "chosen by the program, or by Airflow 3, which fetches itself"
        )


def _node_port(result: Result, source: str, value: Any) -> None:
    for port in value if isinstance(value, list) else ():
        if isinstance(port, Mapping) and port.get("nodePort"):
            result.set("airflow.apiServer.service.nodePort", port["nodePort"], source)
        else:
            result.note(source, "the Service has the port 8080")


def _triggerer(result: Result, source: str, value: Any) -> None:
    if value is False:
        result.set("airflow.triggerer.replicas", 0, source)


def _broker(result: Result, source: str, value: Any) -> None:
    if value is False:
        result.set("broker.mode", "external", source)
        result.note(source, "name a Secret with the key url in broker.external.secret")


_WEB: Table = {
    "service.type": to("airflow.apiServer.service.type"),
    "service.ports": _node_port,
    "service.annotations": says(NOT_YET),
    "service.loadBalancerIP": says(NOT_YET),
    "service.loadBalancerSourceRanges": says(NOT_YET),
    "service.sessionAffinity": says(NOT_YET),
    "hpa": autoscaled("airflow.apiServer", keda=False),
    "apiServerConfig": says("edit images/airflow/webserver_config.py"),
    "apiServerConfigConfigMapName": says("edit images/airflow/webserver_config.py"),
    "webserverConfig": says("edit images/airflow/webserver_config.py"),
    "webserverConfigConfigMapName": says("edit images/airflow/webserver_config.py"),
    "allowPodLogReading": says("not needed: logs are on a volume"),
    "enabled": says("there always is one"),
    "defaultUser.enabled": says("there always is a first user"),
    "defaultUser.username": to("airflow.admin.username"),
    "defaultUser.email": to("airflow.admin.email"),
    "defaultUser.firstName": to("airflow.admin.firstName"),
    "defaultUser.lastName": to("airflow.admin.lastName"),
    "defaultUser.role": unless("Admin", "the first user is an Admin"),
    "defaultUser.password": says("generated: make password; or secrets.adminPassword"),
}

_OWN: dict[str, Table] = {
    "apiServer": _WEB,
    "webserver": _WEB,
    "scheduler": {"hpa": says("schedulers are not scaled: see airflow.scheduler.replicas")},
    "dagProcessor": {
        "enabled": says("there always is one"),
        "dagBundleConfigList": says("name repositories in airflow.dags: see docs/dags.md"),
    },
    "triggerer": {
        "enabled": _triggerer,
        "keda": autoscaled("airflow.triggerer", keda=True),
    },
}

_FLOWER: Table = {
    "enabled": says("there with Celery executors, and only with them"),
    "username": says(f"{NO_KEYS}flowerBasicAuth (user:password)"),
    "password": says(f"{NO_KEYS}flowerBasicAuth (user:password)"),
    "secretName": _existing("flowerBasicAuth", "basicAuth"),
    "serviceAccount.annotations": to("airflow.celery.flower.serviceAccount.annotations"),
    "service": says("a ClusterIP on port 5555"),
    "podDisruptionBudget": says("there is one replica"),
}

_REDIS: Table = {
    "enabled": _broker,
    "password": says(f"{NO_KEYS}redisPassword"),
    "passwordSecretName": _existing("redisPassword", "password"),
    "persistence.enabled": unless(True, "Redis always has a volume: messages are not lost"),
    "persistence.size": to("broker.cluster.claim.size"),
    "persistence.storageClassName": to("broker.cluster.claim.storageClass"),
    "persistence.annotations": says(NO_ANNOTATIONS),
    "persistence.persistentVolumeClaimRetentionPolicy": says("make down keeps the claim"),
    "serviceAccount.annotations": to("broker.cluster.serviceAccount.annotations"),
    "service": says("a ClusterIP on port 6379"),
    "terminationGracePeriodSeconds": says("Kubernetes' default, 30 s"),
    "uid": says("that of the image, without privileges"),
}

_MIGRATE: Table = {"enabled": says("migrations run with each release, after a backup")}

_USER: Table = {
    "enabled": says("there always is a first user"),
    **{f"defaultUser.{name}": _WEB[f"defaultUser.{name}"] for name in (
        "username", "email", "firstName", "lastName", "role", "password"
    )},
}  # fmt: skip

_CLEANUP: Table = {
    "enabled": says("a CronJob always sweeps task pods; see airflow.tasks.failedPodRetention"),
    "schedule": says("chosen by the program; see airflow.tasks.failedPodRetention"),
    "failedJobsHistoryLimit": says("chosen by the program"),
    "successfulJobsHistoryLimit": says("chosen by the program"),
}

_TOP: Table = {
    **{name: to(f"pods.{name}") for name in PLACED if name != "podAnnotations"},
    "airflowPodAnnotations": to("pods.podAnnotations"),
    "env": env("pods"),
    "extraEnv": env("pods"),
    "extraEnvFrom": env_from("pods"),
    "secret": secrets("pods"),
    "volumes": volumes("pods"),
    "volumeMounts": mounts("pods"),
    "containerLifecycleHooks": to("pods.lifecycle"),
    "airflowVersion": _release,
    "executor": to("airflow.executor"),
    "config": _config,
    "allowPodLaunching": to("airflow.tasks.launchPods"),
    "allowJobLaunching": says(f"{NOT_YET}: tasks may launch pods"),
    "multiNamespaceMode": says("tasks launch pods in <namespace>-tasks alone"),
    "fullnameOverride": says(FIXED_NAMES),
    "nameOverride": says(FIXED_NAMES),
    "useStandardNaming": says(FIXED_NAMES),
    "airflowHome": unless("/usr/local/airflow", "/usr/local/airflow here: so are paths in DAGs"),
    "uid": unless(50000, "always 50000"),
    "gid": unless(0, "always 0"),
    "defaultAirflowRepository": says(OWN_IMAGE),
    "defaultAirflowTag": says(OWN_IMAGE),
    "defaultAirflowDigest": says(OWN_IMAGE),
    "images.airflow": says(OWN_IMAGE),
    "images.pod_template": says("task pods have the slim image; see airflow.tasks.image"),
    "images.flower": says(OWN_IMAGE),
    "images.redis": _image("broker.cluster.image"),
    "images.gitSync": _image("airflow.dags.git.image"),
    "images.statsd": says(NOT_YET),
    "images.otelCollector": says(NOT_YET),
    "images.pgbouncer": says(POSTGRES),
    "images.pgbouncerExporter": says(POSTGRES),
    "images.useDefaultImageForMigration": says("migrations run in the image without DAGs"),
    "images.migrationsWaitTimeout": says("components wait as long as the migrations need"),
    "imagePullSecrets": _pull_secrets,
    "registry.secretName": to("images.imagePullSecrets", change=lambda name: [name]),
    "registry.connection": says("set images.login: true, and the login as in docs/images.md"),
    "ingress": says(INGRESS),
    "httpRoute": says(f"{NOT_YET}: write the HTTPRoute yourself, and set airflow.url"),
    "ports": says("fixed: the API server 8080, Flower 5555"),
    "networkPolicies": says(NOT_YET),
    "extraNetworkPolicies": says(NOT_YET),
    "securityContext": says(PRIVILEGES),
    "securityContexts": says(PRIVILEGES),
    "schedulerName": says("no such setting here"),
    "revisionHistoryLimit": says("always 3"),
    "airflowConfigAnnotations": says(NO_ANNOTATIONS),
    "airflowLocalSettings": says("edit images/airflow/config/airflow_local_settings.py"),
    "rbac": says("accounts and Roles are made by the program, with the least rights"),
    "enableBuiltInSecretEnvVars": says("Secrets are read by name: see secrets in docs/values.md"),
    "priorityClasses": says("create them once for the cluster: see docs/nodes.md#priority"),
    "extraSecrets": says("create them yourself, or by External Secrets, in the namespace"),
    "extraConfigMaps": says("create them yourself in the namespace"),
    "fernetKey": says(f"{NO_KEYS}fernetKey"),
    "fernetKeySecretName": _existing("fernetKey", "fernet-key"),
    "fernetKeySecretAnnotations": says(NO_ANNOTATIONS),
    "apiSecretKey": says(f"{NO_KEYS}apiSecretKey"),
    "apiSecretKeySecretName": _existing("apiSecretKey", "api-secret-key"),
    "apiSecretAnnotations": says(NO_ANNOTATIONS),
    "webserverSecretKey": says(f"{NO_KEYS}apiSecretKey"),
    "webserverSecretKeySecretName": _existing("apiSecretKey", "webserver-secret-key"),
    "webserverSecretAnnotations": says(NO_ANNOTATIONS),
    "jwtSecret": says(f"{NO_KEYS}jwtSecret"),
    "jwtSecretName": _existing("jwtSecret", "jwt-secret"),
    "jwtSecretAnnotations": says(NO_ANNOTATIONS),
    "data.metadataConnection": _connection,
    "data.metadataSecretName": says(
        "set database.mode: external, and a Secret with the keys username and password in "
        "database.external.secret; it holds no URL"
    ),
    "data.metadataSecretAnnotations": says(NO_ANNOTATIONS),
    "data.resultBackendConnection": says("Celery's results are in the metadata database"),
    "data.resultBackendSecretName": says("Celery's results are in the metadata database"),
    "data.resultBackendSecretAnnotations": says(NO_ANNOTATIONS),
    "data.brokerUrl": says("put it into a Secret with the key url: broker.external.secret"),
    "data.brokerUrlSecretName": each(
        to("broker.external.secret"), says("its key here is url, not connection")
    ),
    "data.brokerUrlSecretAnnotations": says(NO_ANNOTATIONS),
    "postgresql": says(POSTGRES),
    "pgbouncer": says(POSTGRES),
    "kerberos": says(NOT_YET),
    "elasticsearch": says("set it in airflow.configuration.elasticsearch, host from a Secret"),
    "opensearch": says("set it in airflow.configuration.opensearch, host from a Secret"),
    "statsd": says(NOT_YET),
    "otelCollector": says(NOT_YET),
    "databaseCleanup": says(NOT_YET),
    "quotas": says("set budget, which is checked, and is the quota of launched pods"),
    "limits": says("set budget; every container has requests and limits of its own"),
    "dags.gitSync": _git,
    "dags.mountPath": says("/usr/local/airflow/dags"),
    "dags.persistence": says("DAG code is in the image or comes from Git: see docs/dags.md"),
    "logs.persistence.enabled": unless(True, "logs are always on a volume (ReadWriteMany)"),
    "logs.persistence.size": to("logs.claim.size"),
    "logs.persistence.storageClassName": to("logs.claim.storageClass"),
    "logs.persistence.existingClaim": says("the claim is made by the program"),
    "logs.persistence.annotations": says(NO_ANNOTATIONS),
    "logs.persistence.containerSecurityContexts": says(PRIVILEGES),
    "logs.emptyDirConfig": says("logs are always on a volume (ReadWriteMany)"),
}
