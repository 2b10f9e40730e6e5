"""Several sources of DAG code: bundles and DAG processors on Airflow 3, one folder on Airflow 2."""

import json
from collections import Counter
from typing import Any

import pytest
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS

from .objects import Objects, containers, env, init, objects, pods
from .test_git_dags import using

SALES, OPS = "https://git.example.com/sales.git", "https://git.example.com/ops.git"
SOURCES = " ".join(
    f"airflow.dags.repositories.{setting}"
    for setting in (
        f"sales-eu.repository={SALES}",
        "sales-eu.secret=sales",
        "sales-eu.interval=7",
        f"ops.repository={OPS}",
        "ops.secret=ops",
        "ops.folder=team/dags",
        "ops.ref=v1",
    )
)
SSH = (
    "airflow.dags.repositories.key.repository=git@git.example.com:key.git "
    "airflow.dags.repositories.key.secret=key"
)
FIRST = "airflow.dags.source=git airflow.dags.git.repository=https://git.example.com/first.git "
PROCESSOR = "airflow.dags.repositories.ops.processor=true"


def configuration(rendered: Objects) -> dict[str, str]:
    config: dict[str, str] = rendered["ConfigMap/airflow-config"]["data"]
    return config


def bundles(rendered: Objects) -> list[dict[str, Any]]:
    text = configuration(rendered)["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"]
    found: list[dict[str, Any]] = json.loads(text)
    return found


@pytest.mark.parametrize(
    ("values", "first"),
    [
        ("airflow.executor=KubernetesExecutor", "image_bundle.ImageBundle"),
        ("airflow.executor=CeleryExecutor", "airflow.dag_processing.bundles.local.LocalDagBundle"),
        (FIRST, "commit_bundle.CommitBundle"),
    ],
)
def test_each_source_is_a_bundle(values: str, first: str) -> None:
    rendered = objects(f"{values} {SOURCES}")
    names = {bundle["name"]: bundle["classpath"] for bundle in bundles(rendered)}
    git = "commit_bundle.CommitBundle"
    assert names == {"dags-folder": first, "sales-eu": git, "ops": git}
    assert bundles(rendered)[-1]["kwargs"] == {
        "git_conn_id": "git_dags_ops",
        "tracking_ref": "v1",
        "subdir": "team/dags",
        "refresh_interval": 60,
    }
    for bundle in bundles(rendered)[1:]:
        connection = f"AIRFLOW_CONN_{bundle['kwargs']['git_conn_id'].upper()}"
        assert json.loads(configuration(rendered)[connection])["conn_type"] == "git"


def test_each_repository_has_a_login_of_its_own() -> None:
    rendered = objects(f"{FIRST} airflow.dags.git.secret=first {SOURCES} {SSH}")
    template = pods(rendered)["pod-template"]
    variables = env(template["containers"][0])
    for suffix, secret in (("", "first"), ("_SALES_EU", "sales"), ("_OPS", "ops")):
        source = {"secretKeyRef": {"name": secret, "key": "password"}}
        assert variables[f"GIT_PASSWORD{suffix}"] == source
        assert variables[f"GIT_SERVER{suffix}"] == "https://git.example.com"
    key = json.loads(configuration(rendered)["AIRFLOW_CONN_GIT_DAGS_KEY"])["extra"]["key_file"]
    mounted = {mount["mountPath"] for mount in template["containers"][0]["volumeMounts"]}
    assert key.removesuffix("/ssh") in mounted
    kept = configuration(rendered)["KEPT_FROM_DAGS"].split(",")
    assert {"first", "sales", "ops", "key"} <= set(kept)


def test_a_processor_of_its_own_reads_one_bundle_and_the_common_one_the_others() -> None:
    rendered = objects(f"{SOURCES} {PROCESSOR}")
    found = pods(rendered)
    common, own = found["dag-processor"], found["dag-processor-ops"]
    for pod, names in ((common, ["dags-folder", "sales-eu"]), (own, ["ops"])):
        args = pod["containers"][0]["args"]
        assert args == ["airflow", "dag-processor", *(f"--bundle-name={name}" for name in names)]
        assert init(pod) == ["fetch-dags", "wait-for-migrations", "sync-bundles"]
        assert pod["initContainers"][0]["args"][2:] == names
    fetching = {"pod-template base"}
    for secret, processor in (("sales", "dag-processor"), ("ops", "dag-processor-ops")):
        parts = {f"{processor} fetch-dags", f"{processor} dag-processor"}
        # What writes the bundles to the database fetches nothing.
        assert using(rendered, secret) - {f"{processor} sync-bundles"} == fetching | parts
    # A changed DAG of the image does not restart it.
    assert "/airflow-dags:" in common["containers"][0]["image"]
    assert "/airflow:" in own["containers"][0]["image"]
    assert init(pods(objects(SOURCES))["dag-processor"]) == ["fetch-dags", "wait-for-migrations"]


@pytest.mark.parametrize("first", ["", FIRST])
def test_airflow_2_has_one_folder_of_links_to_all_sources(first: str) -> None:
    rendered = objects(f"airflow.version={PREVIOUS} {first} {SOURCES}")
    variables = configuration(rendered)
    root = variables["AIRFLOW__CORE__DAGS_FOLDER"]
    names = ("dags-folder", "sales-eu", "ops")
    assert variables["DAG_FOLDERS"].split(":") == [f"{root}/{name}" for name in names]
    assert variables["AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL"] == "7"
    image = "/opt/dags/current/dags" if first else "/usr/local/airflow/dags"
    targets = (image, "/opt/dags-sales-eu/current/dags", "/opt/dags-ops/current/team/dags")
    for name in ("dag-processor", "triggerer", "pod-template"):
        pod = pods(rendered)[name]
        (links,) = (each for each in containers(pod) if each["name"] == "link-dags")
        for source, target in zip(names, targets, strict=True):
            assert f"ln -sfn {target} {root}/{source}" in links["args"][-1]
        reads = {mount["mountPath"]: mount for mount in pod["containers"][0]["volumeMounts"]}
        for folder in (root, "/opt/dags-sales-eu", "/opt/dags-ops"):
            assert reads[folder]["readOnly"] is True


@pytest.mark.parametrize("executor", ["KubernetesExecutor", "CeleryExecutor", "LocalExecutor"])
@pytest.mark.parametrize("version", [CURRENT, PREVIOUS])
def test_nothing_in_a_pod_has_the_name_or_the_port_of_another(version: str, executor: str) -> None:
    values = f"airflow.version={version} airflow.executor={executor} {FIRST} {SOURCES} {SSH}"
    for name, pod in pods(objects(values)).items():
        everything = containers(pod)
        ports = [port for each in everything for port in each.get("ports", [])]
        for found in (
            [each["name"] for each in everything],
            [each["name"] for each in pod["volumes"]],
            [port["name"] for port in ports],
            [port["containerPort"] for port in ports],
            *([item["name"] for item in each.get("env") or []] for each in everything),
            *([mount["mountPath"] for mount in each["volumeMounts"]] for each in everything),
        ):
            assert [item for item, times in Counter(found).items() if times > 1] == [], name
        # git keeps logins below /tmp, by server: two must not share it.
        tmp = [
            mount.get("subPath", "")
            for each in everything
            if each["name"].startswith("git-sync")
            for mount in each["volumeMounts"]
            if mount["mountPath"] == "/tmp"
        ]
        assert len(set(tmp)) == len(tmp), name
