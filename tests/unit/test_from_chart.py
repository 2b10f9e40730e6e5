"""`make from-chart`: values of the official chart become values that the program accepts."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow_kubernetes.chart.convert import convert
from airflow_kubernetes.chart.keys import table
from airflow_kubernetes.chart.result import Result
from airflow_kubernetes.chart.rules import walk
from airflow_kubernetes.cli.main import main
from airflow_kubernetes.settings.document import read

HOME = """
executor: LocalExecutor
airflowVersion: 2.10.5
images: {airflow: {repository: example.com/mine, tag: "1"}}
env:
  - {name: AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION, value: "False"}
  - {name: TZ, value: Europe/Berlin}
webserver: {service: {type: NodePort, ports: [{name: web, port: 80, nodePort: 31000}]}}
postgresql: {enabled: true, auth: {password: x}}
triggerer: {enabled: false}
"""
CLOUD = """
executor: KubernetesExecutor
airflowVersion: "3.0.2"
fernetKeySecretName: keys
jwtSecretName: keys
imagePullSecrets: [{name: regcred}]
nodeSelector: {pool: airflow}
workers:
  resources: {requests: {cpu: 100m, memory: 512Mi}}
  serviceAccount: {create: true, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::1:role/a"}}
  extraVolumes:
    - {name: conf, configMap: {name: conf}}
    - {name: nfs, nfs: {server: a, path: /}}
  extraVolumeMounts: [{name: conf, mountPath: /conf, readOnly: true}]
logs: {persistence: {enabled: true, size: 50Gi, storageClassName: efs}}
config: {core: {parallelism: 64}, logging: {remote_logging: "True"}}
"""
CELERY = """
airflowVersion: "3.1.0"
config: {celery: {worker_concurrency: 12}, api: {base_url: "https://airflow.example.com"}}
workers:
  queue: default,fast
  keda: {enabled: true, minReplicaCount: 0, maxReplicaCount: 9, cooldownPeriod: 30, query: SELECT 1}
  celery: {sets: [{name: heavy, queue: heavy, replicas: 2}]}
redis: {enabled: false}
data: {brokerUrlSecretName: broker}
flower: {enabled: true, secretName: flower}
extraEnvFrom: |
  - secretRef: {name: connections}
secret: [{envName: TOKEN, secretName: api, secretKey: token}]
"""
GIT = """
executor: CeleryKubernetesExecutor
dags:
  persistence: {enabled: false}
  gitSync: {enabled: true, repo: "git@example.com:a/b.git", branch: v2, subPath: dags, period: 30s,
            sshKeySecret: key, maxFailures: 3}
data: {metadataConnection: {protocol: mysql, host: db.example.com, port: 3307, db: meta, user: u}}
webserver: {defaultUser: {username: boss, password: secret}}
createUserJob: {useHelmHooks: false}
cleanup: {enabled: true, schedule: "*/15 * * * *"}
"""
WRONG = """
executer: LocalExecutor
scheduler: {replica: 2, replicas: two}
config: {core: {lode_examples: true}, scheduler: {catchup_by_default: "{{ .Values.x }}"}}
workers: {env: oops}
"""


def converted(folder: Path, text: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The values, and the last line about each of the chart's keys."""
    file = folder / "chart.yaml"
    file.write_text(text)
    values, notes = convert(read(file, "chart.yaml"))
    return values, {note.key: note.text for note in notes}


def at(values: Any, path: str) -> Any:
    for key in path.split("."):
        values = values[key]
    return values


@pytest.mark.parametrize(
    ("text", "values", "notes"),
    [
        (
            HOME,
            {
                "airflow.executor": "LocalExecutor",
                "airflow.version": "2.11.2",
                "airflow.configuration.core.dags_are_paused_at_creation": "False",
                "airflow.apiServer.service": {"type": "NodePort", "nodePort": 31000},
                "airflow.triggerer.replicas": 0,
                "pods.env": {"TZ": "Europe/Berlin"},
            },
            {
                "airflowVersion": "2.10.5 becomes 2.11.2",
                "images.airflow": "the image is built",
                "postgresql": "MySQL is the metadata database",
            },
        ),
        (
            CLOUD,
            {
                "airflow.version": "3.3.2",
                "airflow.parallelism": 64,
                "airflow.tasks.resources.requests": {"cpu": "100m", "memory": "512Mi"},
                "airflow.tasks.serviceAccount.annotations": {
                    "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/a"
                },
                "airflow.tasks.volumes": [{"name": "conf", "configMap": "conf"}],
                "airflow.tasks.volumeMounts": [
                    {"name": "conf", "mountPath": "/conf", "readOnly": True}
                ],
                "images.imagePullSecrets": ["regcred"],
                "logs.claim": {"size": "50Gi", "storageClass": "efs"},
                "pods.nodeSelector": {"pool": "airflow"},
                "secrets.fernetKey": {"secret": "keys", "key": "fernet-key"},
                "secrets.jwtSecret": {"secret": "keys", "key": "jwt-secret"},
            },
            {
                "workers.extraVolumes.nfs": "to be written manually",
                "workers.serviceAccount.create": "an account of its own",
                "config.logging.remote_logging": "requires a remote_base_log_folder",
            },
        ),
        (
            CELERY,
            {
                "airflow.executor": "CeleryExecutor",
                "airflow.url": "https://airflow.example.com",
                "airflow.celery.workers.default": {
                    "concurrency": 12,
                    "queues": ["default", "fast"],
                    "replicas": 0,
                    "maxReplicas": 9,
                },
                "airflow.keda": {"enabled": True, "cooldownPeriod": 30},
                "airflow.celery.workers.heavy.queues": ["heavy"],
                "airflow.celery.workers.heavy.maxReplicas": 2,
                "broker.mode": "external",
                "broker.external.secret": "broker",
                "pods.envFrom": [{"secret": "connections"}],
                "pods.env": {"TOKEN": {"secret": "api", "key": "token"}},
                "secrets.flowerBasicAuth": {"secret": "flower", "key": "basicAuth"},
            },
            {
                "workers.keda.query": "chosen by the program",
                "data.brokerUrlSecretName": "its key here is url",
                "flower.enabled": "only with them",
            },
        ),
        (
            GIT,
            {
                "airflow.executor": "CeleryKubernetesExecutor",
                "airflow.dags.source": "git",
                "airflow.dags.git": {
                    "repository": "git@example.com:a/b.git",
                    "ref": "v2",
                    "folder": "dags",
                    "interval": 30,
                    "secret": "key",
                },
                "airflow.admin.username": "boss",
            },
            {
                "dags.gitSync.maxFailures": "chosen by the program",
                "dags.gitSync.sshKeySecret": "ssh (the private key), known_hosts",
                "webserver.defaultUser.password": "make password",
                "createUserJob.useHelmHooks": "no hooks here",
                "cleanup.enabled": "always sweeps",
                "data.metadataConnection.host": "left out: database.external",
            },
        ),
        (
            WRONG,
            {"airflow.executor": "CeleryExecutor"},
            {
                "executer": "did you mean executor?",
                "scheduler.replica": "did you mean scheduler.replicas?",
                "scheduler.replicas": "left out: airflow.scheduler.replicas: ",
                "config.core.lode_examples": "left out: airflow.configuration.core.lode_examples",
                "config.scheduler.catchup_by_default": "a template of Helm",
                "workers.env": "not what the chart takes",
            },
        ),
    ],
    ids=["home", "cloud", "celery", "git", "wrong"],
)
def test_each_key_becomes_a_value_or_a_line(
    tmp_path: Path, text: str, values: dict[str, Any], notes: dict[str, str]
) -> None:
    found, lines = converted(tmp_path, text)
    for path, value in values.items():
        assert at(found, path) == value, path
    for key, part in notes.items():
        assert part in lines[key], key


TOP_LEVEL = {
    "fullnameOverride", "nameOverride", "useStandardNaming", "airflowHome", "uid", "gid",
    "defaultAirflowRepository", "defaultAirflowTag", "defaultAirflowDigest", "airflowVersion",
    "images", "imagePullSecrets", "registry", "ingress", "ports", "networkPolicies",
    "extraNetworkPolicies", "securityContext", "securityContexts", "rbac", "allowPodLaunching",
    "allowJobLaunching", "multiNamespaceMode", "createUserJob", "webserver", "apiServer",
    "fernetKey", "fernetKeySecretName", "apiSecretKey", "apiSecretKeySecretName", "jwtSecret",
    "jwtSecretName", "webserverSecretKey", "webserverSecretKeySecretName", "data",
    "enableBuiltInSecretEnvVars", "redis", "flower", "nodeSelector", "affinity", "tolerations",
    "topologySpreadConstraints", "schedulerName", "priorityClasses", "revisionHistoryLimit",
    "containerLifecycleHooks", "quotas", "limits", "workers", "scheduler", "triggerer",
    "dagProcessor", "env", "volumes", "volumeMounts", "secret", "extraEnv", "extraEnvFrom",
    "extraSecrets", "extraConfigMaps", "labels", "airflowPodAnnotations",
    "airflowConfigAnnotations", "airflowLocalSettings", "dags", "logs", "elasticsearch",
    "opensearch", "statsd", "otelCollector", "postgresql", "pgbouncer", "databaseCleanup",
    "migrateDatabaseJob", "config", "executor", "cleanup", "kerberos", "httpRoute",
}  # fmt: skip
"""Of the official chart's values.yaml."""


def test_every_key_of_the_chart_has_a_rule() -> None:
    known = {key.partition(".")[0] for key in table("CeleryExecutor")}
    assert known >= TOP_LEVEL


ODD: tuple[Any, ...] = (
    None,
    1,
    True,
    "x",
    "- a",
    "{{ x }}",
    [],
    [1],
    [None],
    {},
    {"a": 1},
    [{"name": "x"}],
)


def test_no_value_of_any_key_is_a_traceback() -> None:
    rules = table("CeleryExecutor,KubernetesExecutor")
    for key in rules:
        for value in ODD:
            nested = value
            for part in reversed(key.split(".")):
                nested = {part: nested}
            walk(Result(), "", nested, rules)


def test_the_command_prints_values_and_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("airflowVersion: 3.0.0\n\nscheduler: {replicas: 2}\n")
    assert main(["from-chart", str(file)]) == 0
    shown = capsys.readouterr()
    assert yaml.safe_load(shown.out)["airflow"]["scheduler"] == {"replicas": 2}
    assert f"{file}:1: airflowVersion: 3.0.0 becomes 3.3.2" in shown.err
    assert main(["from-chart", ""]) == 1
    assert "VALUES= names no file" in capsys.readouterr().err
