"""DAG code from Git: who fetches it and who gets the Secret."""

import json
from pathlib import Path
from typing import Any

import pytest
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS, RELEASES

from .conftest import ROOT
from .objects import Objects, containers, objects, pods

HTTPS = "https://git.example.com/team/dags.git"
SSH = "git@git.example.com:team/dags.git"


def from_git(version: str, executor: str, repository: str, more: str = "") -> Objects:
    return objects(
        f"airflow.version={version} airflow.executor={executor} airflow.dags.source=git "
        f"airflow.dags.git.repository={repository} {more}"
    )


def using(rendered: Objects, secret: str) -> set[str]:
    """Pod and container that see anything of a Secret."""
    found = set()
    for pod, spec in pods(rendered).items():
        mounted = {
            volume["name"]
            for volume in spec["volumes"]
            if volume.get("secret", {}).get("secretName") == secret
        }
        for container in containers(spec):
            mounts = {mount["name"] for mount in container.get("volumeMounts", [])}
            if mounts & mounted or f'"name": "{secret}"' in json.dumps(container.get("env", [])):
                found.add(f"{pod} {container['name']}")
    return found


SYNCED = {"dag-processor git-sync", "triggerer git-sync"}
FETCHING = {"dag-processor fetch-dags", "dag-processor dag-processor"}


@pytest.mark.parametrize("repository", [HTTPS, SSH])
@pytest.mark.parametrize(
    ("version", "executor", "expected"),
    [
        (PREVIOUS, "KubernetesExecutor", {*SYNCED, "pod-template git-sync"}),
        (PREVIOUS, "CeleryExecutor", {*SYNCED, "worker-default git-sync"}),
        (PREVIOUS, "LocalExecutor", {*SYNCED, "scheduler git-sync"}),
        (CURRENT, "KubernetesExecutor", {*FETCHING, "pod-template base"}),
        (CURRENT, "CeleryExecutor", {*FETCHING, "worker-default worker"}),
        (CURRENT, "LocalExecutor", {*FETCHING, "scheduler scheduler"}),
    ],
)
def test_the_secret_is_only_with_what_fetches(
    version: str, executor: str, expected: set[str], repository: str
) -> None:
    rendered = from_git(version, executor, repository, "airflow.dags.git.secret=git-login")
    assert using(rendered, "git-login") == expected
    readers = {name.partition(" ")[0] for name in expected}
    for pod, spec in pods(rendered).items():
        mounts = {mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
        assert ("/opt/dags" in mounts) == (pod in readers)


@pytest.mark.parametrize("version", RELEASES)
def test_what_fetches_is_as_restricted_as_everything(version: str) -> None:
    for name, spec in pods(from_git(version, "CeleryKubernetesExecutor", HTTPS)).items():
        for container in containers(spec):
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert context.get("runAsUser", 1) > 0, name
            assert set(container["resources"]["limits"]) == {"cpu", "memory"}, name
            if container.get("restartPolicy") == "Always":  # it runs as long as the pod
                assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container), name


def environment(rendered: Objects, pod: str) -> dict[str, str]:
    """The plain variables of a pod's first container, those of the ConfigMap included."""
    config: dict[str, str] = rendered["ConfigMap/airflow-config"]["data"]
    env: list[dict[str, Any]] = pods(rendered)[pod]["containers"][0]["env"]
    return config | {item["name"]: item["value"] for item in env if "value" in item}


def test_airflow_3_fetches_the_ref_with_the_secret_it_is_given() -> None:
    more = "airflow.dags.git.secret=mine airflow.dags.git.ref=v1.2 airflow.dags.git.interval=7"
    rendered = from_git(CURRENT, "KubernetesExecutor", HTTPS, more)
    variables = environment(rendered, "pod-template")
    (bundle,) = json.loads(variables["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])
    assert bundle["kwargs"] == {
        "git_conn_id": "git_dags",
        "tracking_ref": "v1.2",
        "subdir": "dags",
        "refresh_interval": 7,
    }
    assert variables["GIT_SERVER"] == "https://git.example.com"
    assert (ROOT / "images" / "airflow" / Path(variables["GIT_ASKPASS"]).name).exists()
    for pod in ("pod-template", "api-server"):
        known = json.loads(environment(rendered, pod)["AIRFLOW_CONN_GIT_DAGS"])
        assert known == {"conn_type": "git", "host": HTTPS}


def test_airflow_3_checks_the_host_to_which_it_shows_its_key() -> None:
    rendered = from_git(CURRENT, "KubernetesExecutor", SSH, "airflow.dags.git.secret=mine")
    connection = json.loads(environment(rendered, "pod-template")["AIRFLOW_CONN_GIT_DAGS"])
    assert connection["extra"] == {
        "key_file": "/etc/git-secret/ssh",
        "known_hosts_file": "/etc/git-secret/known_hosts",
        "strict_host_key_checking": "yes",
    }


def test_git_sync_goes_on_beside_components_and_fetches_once_for_a_task() -> None:
    rendered = from_git(PREVIOUS, "KubernetesExecutor", HTTPS, "airflow.dags.git.folder=team/dags")
    folder = environment(rendered, "dag-processor")["AIRFLOW__CORE__DAGS_FOLDER"]
    assert folder == "/opt/dags/current/team/dags"
    beside = pods(rendered)["dag-processor"]["initContainers"][0]
    before = pods(rendered)["pod-template"]["initContainers"][0]
    assert beside["restartPolicy"] == "Always"
    assert "--period=60s" in beside["args"]
    assert "restartPolicy" not in before
    assert "--one-time" in before["args"]
    for container in (beside, before):
        assert {f"--repo={HTTPS}", "--ref=main", "--root=/opt/dags"} <= set(container["args"])
