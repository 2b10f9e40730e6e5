"""The namespace of the pods that tasks launch: what is in it, and what is not."""

import json
import runpy
from collections.abc import Iterator
from typing import Any

import pytest
from airflow_kubernetes.airflow.executors import EXECUTORS
from airflow_kubernetes.airflow.releases import RELEASES
from airflow_kubernetes.comparison.changes import Operation, compare
from airflow_kubernetes.environment import load
from airflow_kubernetes.kubernetes.manifest import PROTECTED
from airflow_kubernetes.paths import ROOT
from airflow_kubernetes.policies.capacity import capacity
from airflow_kubernetes.policies.rule import Subject
from airflow_kubernetes.policies.rules import RULES
from airflow_kubernetes.settings.load import environments
from airflow_kubernetes.settings.problems import SettingsError

from .objects import Object, Objects, objects, templates

CONFIG = ROOT / "images" / "airflow" / "config"
PLACE = "airflow-tasks"


def inside(rendered: Objects) -> dict[str, Object]:
    """The objects of the namespace, and the namespace itself."""
    return {
        name: obj
        for name, obj in rendered.items()
        if PLACE in (obj["metadata"].get("namespace"), obj["metadata"]["name"])
    }


def every_combination() -> Iterator[tuple[str, Objects]]:
    for version in RELEASES:
        for executor in EXECUTORS:
            overrides = f"airflow.version={version} airflow.executor={executor}"
            yield overrides, objects(overrides)


@pytest.mark.parametrize("environment", environments())
def test_it_has_limits_an_account_and_rights_and_nothing_of_airflow(environment: str) -> None:
    found = inside(objects("", environment))
    assert set(found) == {
        f"Namespace/{PLACE}",
        "ResourceQuota/airflow-launched-pods",
        "LimitRange/airflow-launched-pods",
        "ServiceAccount/airflow-launched-pods",
        "Role/airflow-launch-pods",
        "RoleBinding/airflow-launch-pods",
        "Role/airflow-follow-pods",
        "RoleBinding/airflow-follow-pods",
    }
    labels = found[f"Namespace/{PLACE}"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels["pod-security.kubernetes.io/warn"] == "restricted"
    assert labels[PROTECTED] == "true"
    account = found["ServiceAccount/airflow-launched-pods"]
    assert account["automountServiceAccountToken"] is False


def test_it_is_the_same_on_every_release_and_executor() -> None:
    expected = set(inside(objects()))
    for overrides, rendered in every_combination():
        assert set(inside(rendered)) == expected, overrides


def test_without_launched_pods_there_is_no_such_namespace() -> None:
    for overrides, _ in every_combination():
        rendered = objects(f"{overrides} airflow.tasks.launchPods=false")
        assert inside(rendered) == {}, overrides
        data = rendered["ConfigMap/airflow-config"]["data"]
        assert data["TASKS_NAMESPACE"] == ""


@pytest.mark.parametrize("environment", environments())
def test_its_end_is_no_loss(environment: str) -> None:
    """The namespace stays in the cluster, with what users made in it; what it gave away is gone."""
    before, after = objects("", environment), objects("airflow.tasks.launchPods=false", environment)
    changes = compare(before.values(), after.values())
    gone = {f"{one.kind}/{one.name}" for one in changes if one.operation is Operation.DELETE}
    assert gone == {*inside(before)} - {f"Namespace/{PLACE}"}
    assert not any(change.blocked for change in changes)
    subject = Subject([*after.values()], load(environment), environment, changes)
    assert list(RULES["no-loss-of-data"].check(subject)) == []


@pytest.mark.parametrize("environment", environments())
def test_launched_pods_request_at_most_the_budget(environment: str) -> None:
    budget, rendered = load(environment).budget, objects("", environment)
    assert rendered["ResourceQuota/airflow-launched-pods"]["spec"]["hard"] == {
        "requests.cpu": budget.cpu,
        "requests.memory": budget.memory,
        "requests.storage": budget.storage,
    }
    (limits,) = rendered["LimitRange/airflow-launched-pods"]["spec"]["limits"]
    assert limits["max"] == {"cpu": budget.cpu, "memory": budget.memory}


def test_no_default_exceeds_the_maximum() -> None:
    """Kubernetes would refuse the LimitRange."""
    rendered = objects("budget.cpu=1500m airflow.tasks.resources.limits.cpu=4000m")
    (limits,) = rendered["LimitRange/airflow-launched-pods"]["spec"]["limits"]
    assert limits["default"]["cpu"] == limits["max"]["cpu"] == "1500m"
    assert limits["defaultRequest"] == {"cpu": "250m", "memory": "384Mi"}


def test_the_quota_is_no_part_of_what_airflow_itself_needs() -> None:
    with_them, without = objects(), objects("airflow.tasks.launchPods=false")
    settings = load("dev")
    assert capacity([*with_them.values()], settings) == capacity([*without.values()], settings)


def test_the_login_to_the_registry_is_in_both_namespaces() -> None:
    rendered = objects("images.login=true")
    copy = rendered["Secret/airflow-launched-pods-registry"]
    assert copy["metadata"]["namespace"] == PLACE
    assert copy["stringData"] == rendered["Secret/airflow-registry"]["stringData"]
    assert [obj["kind"] for obj in inside(rendered).values()].count("Secret") == 1
    data = rendered["ConfigMap/airflow-config"]["data"]
    assert data["TASK_PULL_SECRETS"] == copy["metadata"]["name"]
    # A Secret of the user's has the same name in both, and the user creates it in both.
    named = objects("images.imagePullSecrets=[mine]")
    assert named["ConfigMap/airflow-config"]["data"]["TASK_PULL_SECRETS"] == "mine"
    assert not any(obj["kind"] == "Secret" for obj in inside(named).values())


def secrets_of(pod: Any) -> set[tuple[str, str]]:
    """Name and key of every Secret in a pod's spec, but that for pulling images."""
    found: set[tuple[str, str]] = set()
    if isinstance(pod, list):
        return found.union(*map(secrets_of, pod))
    if isinstance(pod, dict):
        for key, value in pod.items():
            if key == "secretKeyRef":
                found.add((value["name"], value["key"]))
            elif key == "secret":
                found.add((value["secretName"], ""))
            else:
                found |= secrets_of(value)
    return found


DATABASE = {("airflow-mysql", "username"), ("airflow-mysql", "password")}
FERNET, API, JWT = (
    ("airflow-keys", f"{name}") for name in ("fernet-key", "api-secret-key", "jwt-secret")
)
BROKER = ("airflow-celery", "broker-password")

HELD = {
    # What a pod with code of a DAG's author holds: docs/dags.md has this table.
    ("3.3.2", "pod-template"): set(),
    ("3.3.2", "worker-default"): {*DATABASE, BROKER},
    ("3.3.2", "scheduler"): {*DATABASE, FERNET, API, JWT},
    ("3.3.2", "dag-processor"): {*DATABASE, FERNET},
    ("3.3.2", "triggerer"): {*DATABASE, FERNET, API},
    ("2.11.2", "pod-template"): {*DATABASE, FERNET, API},
    ("2.11.2", "worker-default"): {*DATABASE, FERNET, API, BROKER},
    ("2.11.2", "scheduler"): {*DATABASE, FERNET, API},
    ("2.11.2", "dag-processor"): {*DATABASE, FERNET},
    ("2.11.2", "triggerer"): {*DATABASE, FERNET, API},
}


@pytest.mark.parametrize("version", RELEASES)
def test_pods_with_code_of_dag_authors_hold_these_secrets(version: str) -> None:
    for executor in EXECUTORS:
        overrides = f"airflow.version={version} airflow.executor={executor}"
        for name, template in templates(objects(overrides)):
            if (version, name) in HELD:
                held = secrets_of(template["spec"])
                more = {BROKER} if name == "scheduler" and "Celery" in executor else set()
                assert held == HELD[version, name] | more, (overrides, name)


@pytest.mark.parametrize(
    ("namespace", "launch", "possible"),
    [("a" * 57, True, True), ("a" * 58, True, False), ("a" * 63, False, True)],
)
def test_the_name_of_the_namespace_leaves_room(
    namespace: str, launch: bool, possible: bool
) -> None:
    overrides = f"namespace={namespace} airflow.tasks.launchPods={launch}"
    if possible:
        load("dev", overrides)
        return
    with pytest.raises(SettingsError, match=r"namespace: 58 characters, up to 57 .*-tasks"):
        load("dev", overrides)


@pytest.mark.parametrize(
    "option", ["multi_namespace_mode=true", "multi_namespace_mode_namespace_list=a"]
)
def test_an_executor_for_other_namespaces_is_refused(option: str) -> None:
    with pytest.raises(SettingsError, match=r"may start pods only in its own namespace"):
        load("dev", f"airflow.configuration.kubernetes_executor.{option}")
    load("dev", "airflow.configuration.kubernetes_executor.multi_namespace_mode=false")


def test_the_image_knows_every_name_of_airflow() -> None:
    """pod_rules.py lists what is in Airflow's namespace; its account is the rendered one."""
    rules = runpy.run_path(str(CONFIG / "pod_rules.py"))
    kinds = {"PersistentVolumeClaim": "claim", "ServiceAccount": "service account"}
    kinds["ConfigMap"] = "ConfigMap"
    for overrides, rendered in every_combination():
        secrets = rendered["ConfigMap/airflow-config"]["data"]["KEPT_FROM_DAGS"].split(",")
        for obj in rendered.values():
            kind, name = obj["kind"], obj["metadata"]["name"]
            if obj["metadata"].get("namespace") != "airflow":
                continue
            if kind in kinds:
                assert name in rules["OWN"][kinds[kind]], (overrides, kind, name)
            elif kind == "Secret":
                assert name in secrets, (overrides, name)
    named = objects(
        "database.mode=external database.external.host=db database.external.secret=db "
        "images.imagePullSecrets=[pull] broker.mode=external broker.external.secret=broker "
        "airflow.dags.source=git airflow.dags.git.secret=git "
        "airflow.dags.git.repository=https://git.example.com/x.git"
    )
    secrets = named["ConfigMap/airflow-config"]["data"]["KEPT_FROM_DAGS"].split(",")
    assert {"broker", "db", "git", "pull"} <= {*secrets}
    assert rules["LAUNCHED"] in [obj["metadata"]["name"] for obj in inside(objects()).values()]


def test_pod_defaults_fit_what_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    data = objects("images.login=true")["ConfigMap/airflow-config"]["data"]
    for name, value in data.items():
        monkeypatch.setenv(name, value)
    defaults = runpy.run_path(str(CONFIG / "pod_defaults.py"))["pod_defaults"]()
    template = defaults["pod_template_dict"]["spec"]
    found = inside(objects("images.login=true"))
    assert defaults["namespace"] == PLACE
    assert f"ServiceAccount/{template['serviceAccountName']}" in found
    assert template["automountServiceAccountToken"] is False
    assert [f"Secret/{one['name']}" in found for one in template["imagePullSecrets"]] == [True]


def test_a_role_for_the_account_of_launched_pods_breaks_a_rule() -> None:
    rendered = [json.loads(json.dumps(obj)) for obj in objects().values()]
    (binding,) = (
        obj
        for obj in rendered
        if (obj["kind"], obj["metadata"]["name"]) == ("RoleBinding", "airflow-launch-pods")
    )
    binding["subjects"] = [
        {"kind": "ServiceAccount", "name": "airflow-launched-pods", "namespace": PLACE}
    ]
    (finding,) = RULES["bound-to-accounts"].check(Subject(rendered, load("dev"), "dev"))
    assert finding.message == "is not Airflow's"
