"""What the values add to pods: each section to its own, `pods` to all, on both lines."""

import json
from collections.abc import Iterator

import pytest
from airflow_kubernetes.airflow.executors import EXECUTORS
from airflow_kubernetes.airflow.pod_rules import LABELS, Own, pods
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS, RELEASES
from airflow_kubernetes.environment import load
from airflow_kubernetes.settings.problems import SettingsError

from .objects import Object, Objects, env, init, objects, of_kind, templates
from .objects import pods as specs
from .pod_values import (
    SECTIONS,
    SERVERS,
    every_key,
    found,
    of_containers,
    of_the_pod,
    short,
    values,
)

CELERY = "airflow.executor=CeleryKubernetesExecutor"
POD, CONTAINERS = {*of_the_pod("x")}, {*of_containers("x")}
REPLACED = {
    "tolerations", "affinity", "topologySpreadConstraints", "priorityClassName",
    "runtimeClassName", "hostAliases", "dnsConfig", "lifecycle",
}  # fmt: skip


@pytest.fixture(scope="module", params=[CURRENT, PREVIOUS])
def rendered(request: pytest.FixtureRequest) -> Objects:
    """With every key in every section."""
    return objects(f"{CELERY} airflow.version={request.param} {every_key()}")


def expected(path: str) -> Iterator[tuple[str, set[str]]]:
    """Of each key, whose values a pod of a section has."""
    for name in POD | CONTAINERS:
        whose = [short(path)]
        if path == "airflow.celery.workers.default" and name in CONTAINERS:
            whose.insert(0, "tasks")
        if name in POD or not path.startswith(("database", "broker")):
            whose.insert(0, "all")
        yield name, {*whose[-1:]} if name in REPLACED else {*whose}


@pytest.mark.parametrize("path", SECTIONS)
def test_a_pod_has_what_its_section_and_the_general_ones_say(rendered: Objects, path: str) -> None:
    of_section = {
        name: found(template) for name, template in templates(rendered) if name in SECTIONS[path]
    }
    assert of_section
    for name, has in of_section.items():
        assert has == dict(expected(path)), name


def test_every_pod_belongs_to_a_section(rendered: Objects) -> None:
    assert {*specs(rendered)} <= {name for names in SECTIONS.values() for name in names}


def test_no_selector_has_labels_of_the_values(rendered: Objects) -> None:
    for kind in ("Deployment", "StatefulSet", "Service", "PodDisruptionBudget"):
        for obj in of_kind(rendered, kind):
            assert "of-" not in json.dumps(obj["spec"]["selector"])


def test_a_side_car_starts_first_and_is_native(rendered: Objects) -> None:
    """A proxy of the database is there before the wait for it; no Job waits for its end."""
    for name, pod in specs(rendered).items():
        sides = [item for item in pod["initContainers"] if item["name"].endswith("-side")]
        assert pod["initContainers"][: len(sides)] == sides, name
        assert {item["restartPolicy"] for item in sides} == {"Always"}
        assert init(pod)[-1].endswith("-init")


def test_volumes_and_variables_are_as_in_kubernetes(rendered: Objects) -> None:
    pod = specs(rendered)["dag-processor"]
    main = pod["containers"][0]
    assert {"name": "DAGPROCESSOR_TEXT", "value": "text"} in main["env"]
    assert env(main)["DAGPROCESSOR_SECRET"] == {
        "secretKeyRef": {"name": "dagprocessor-secret", "key": "key"}
    }
    assert env(main)["DAGPROCESSOR_CONFIG_MAP"] == {
        "configMapKeyRef": {"name": "dagprocessor-config", "key": "key"}
    }
    assert env(main)["DAGPROCESSOR_NODE"] == {"fieldRef": {"fieldPath": "status.hostIP"}}
    volumes = {item["name"].removeprefix("dagprocessor-"): item for item in pod["volumes"]}
    mounts = {item["mountPath"]: item for item in main["volumeMounts"]}
    assert mounts["/dagprocessor/secret/key"] == {
        "name": "dagprocessor-secret",
        "mountPath": "/dagprocessor/secret/key",
        "subPath": "key",
        "readOnly": True,
    }
    assert mounts["/dagprocessor/claim"]["readOnly"] is False
    assert volumes["secret"]["secret"] == {"secretName": "files"}
    assert volumes["claim"]["persistentVolumeClaim"] == {"claimName": "mine"}
    assert volumes["empty"]["emptyDir"] == {"sizeLimit": "16Mi"}
    assert volumes["projected"]["projected"]["sources"][2] == {
        "serviceAccountToken": {"audience": "vault", "path": "token"}
    }
    assert volumes["csi"]["csi"] == {
        "driver": "secrets-store.csi.k8s.io",
        "readOnly": True,
        "volumeAttributes": {"secretProviderClass": "airflow"},
        "nodePublishSecretRef": {"name": "login"},
    }
    # Its own come last, so that nobody changes Airflow's configuration by a Secret.
    assert [*main["envFrom"][-1]] == ["configMapRef"]
    assert main["envFrom"][-1]["configMapRef"]["name"] == "airflow-config"


def test_a_spread_is_of_the_component_and_an_own_selector_stays() -> None:
    given = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
    mine = given | {"topologyKey": "host", "labelSelector": {"matchLabels": {"a": "b"}}}
    both = values({"airflow.scheduler": {"topologySpreadConstraints": [given, mine]}})
    constraints = specs(objects(both))["scheduler"]["topologySpreadConstraints"]
    own = {"app.kubernetes.io/name": "airflow", "app.kubernetes.io/component": "scheduler"}
    assert constraints == [given | {"labelSelector": {"matchLabels": own}}, mine]


@pytest.mark.parametrize("version", [CURRENT, PREVIOUS])
def test_two_replicas_are_spread_and_have_a_disruption_budget(version: str) -> None:
    several = (
        f"{CELERY} airflow.version={version} airflow.apiServer.replicas=2 "
        "airflow.scheduler.replicas=2 airflow.dagProcessor.replicas=2 airflow.triggerer.replicas=2 "
        "airflow.celery.workers.default.maxReplicas=2 "
        "airflow.celery.workers.default.podDisruptionBudget.maxUnavailable=2"
    )
    one, two = objects(f"{CELERY} airflow.version={version}"), objects(several)
    spread = {
        name for name, pod in specs(two).items() if pod.get("topologySpreadConstraints") is not None
    }
    web = RELEASES[version].web.component.name
    assert spread == {web, "scheduler", "dag-processor", "triggerer", "worker-default"}
    budgets = {
        obj["metadata"]["name"].removeprefix("airflow-"): obj["spec"]
        for obj in of_kind(two, "PodDisruptionBudget")
    }
    assert {*budgets} == spread
    assert {budgets[name]["maxUnavailable"] for name in spread} == {1, 2}
    assert budgets["worker-default"]["maxUnavailable"] == 2
    labels = {name: template["metadata"]["labels"] for name, template in templates(two)}
    for name, budget in budgets.items():
        selected = budget["selector"]["matchLabels"].items()
        assert [each for each, item in labels.items() if selected <= item.items()] == [name]
    assert not of_kind(one, "PodDisruptionBudget")
    assert not [pod for pod in specs(one).values() if "topologySpreadConstraints" in pod]


def test_a_triggerer_may_have_no_replicas() -> None:
    stopped = objects("airflow.triggerer.replicas=0")["Deployment/airflow-triggerer"]["spec"]
    assert stopped["replicas"] == 0
    with pytest.raises(SettingsError, match=r"airflow\.triggerer\.replicas: tasks that"):
        load(
            "dev",
            "airflow.triggerer.replicas=0 airflow.configuration.operators.default_deferrable=true",
        )


ROLE = "eks.amazonaws.com/role-arn"


@pytest.mark.parametrize("version", [CURRENT, PREVIOUS])
def test_each_component_has_an_identity_of_its_own(version: str) -> None:
    sections = {**SECTIONS, "airflow.celery": ("worker",)}
    del sections["airflow.celery.workers.default"]
    sections["airflow.tasks"], sections["airflow.tasks.launchedPods"] = (
        ("task",),
        ("launched-pods",),
    )
    given = {
        path: {"serviceAccount": {"annotations": {ROLE: path}, "labels": {"of": "me"}}}
        for path in sections
    }
    rendered = objects(f"{CELERY} airflow.version={version} {values(given)}")
    accounts = of_kind(rendered, "ServiceAccount")
    assert len(accounts) > len(sections)
    for account in accounts:
        name = account["metadata"]["name"].removeprefix("airflow-")
        (path,) = (path for path, names in sections.items() if name in names)
        assert account["metadata"]["annotations"] == {ROLE: path}
        assert account["metadata"]["labels"]["of"] == "me"
    assert not [
        account
        for account in of_kind(objects(CELERY), "ServiceAccount")
        if "annotations" in account["metadata"]
    ]


def test_all_pods_pull_with_all_secrets() -> None:
    named = objects(f"{CELERY} images.imagePullSecrets=[one,two] images.login=true")
    for name, pod in specs(named).items():
        assert pod["imagePullSecrets"] == [{"name": "one"}, {"name": "two"}], name
    assert named["ConfigMap/airflow-config"]["data"]["TASK_PULL_SECRETS"] == "one,two"


def test_a_dag_may_not_name_secrets_of_components() -> None:
    """Those that tasks have are named by their own pods anyway."""
    given = {
        path: {"env": {"A": {"secret": short(path), "key": "k"}}}
        for path in ("airflow.apiServer", "airflow.triggerer", "airflow.tasks")
    }
    given["pods"] = {"env": {"B": {"secret": "all", "key": "k"}}}
    kept = objects(values(given))["ConfigMap/airflow-config"]["data"]["KEPT_FROM_DAGS"]
    assert {"apiserver", "triggerer"} <= {*kept.split(",")}
    assert not {"tasks", "all"} & {*kept.split(",")}


def test_options_are_read_from_secrets_in_all_pods_of_airflow() -> None:
    option = '{"sentry":{"sentry_dsn":{"secret":"errors","key":"dsn"}}}'
    named = objects(f"{CELERY} airflow.configuration={option}")
    name = "AIRFLOW__SENTRY__SENTRY_DSN"
    assert name not in named["ConfigMap/airflow-config"]["data"]
    for place, pod in specs(named).items():
        if place in SERVERS:
            continue
        variables = {item["name"]: item for item in pod["containers"][0].get("env", [])}
        found = variables[name]["valueFrom"]["secretKeyRef"]
        assert found == {"name": "errors", "key": "dsn"}, place


EXISTING = {
    "fernetKey": "AIRFLOW__CORE__FERNET_KEY",
    "apiSecretKey": "AIRFLOW__API__SECRET_KEY",
    "jwtSecret": "AIRFLOW__API_AUTH__JWT_SECRET",
    "adminPassword": "ADMIN_PASSWORD",
    "flowerBasicAuth": "AIRFLOW__CELERY__FLOWER_BASIC_AUTH",
    "redisPassword": "BROKER_PASSWORD REDIS_PASSWORD",
    "mysqlPassword": "DATABASE_PASSWORD MYSQL_PASSWORD",
    "mysqlRootPassword": "MYSQL_ROOT_PASSWORD",
}
"""Settings below `secrets`, and the variables that have their values."""


def test_every_generated_value_may_be_in_an_existing_secret() -> None:
    sources = {
        setting: {"secret": f"mine-{number}", "key": f"key.{number}"}
        for number, setting in enumerate(EXISTING)
    }
    named = objects(f"{CELERY} {values({'secrets': sources})}")
    assert {name for name in named if name.startswith("Secret/")} == {
        "Secret/airflow-admin", "Secret/airflow-mysql",
    }  # fmt: skip
    assert {*named["Secret/airflow-mysql"]["stringData"]} == {"database", "username"}
    found: dict[str, set[tuple[str, str]]] = {}
    for pod in specs(named).values():
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            for item in container.get("env", []):
                if (source := item.get("valueFrom", {}).get("secretKeyRef")) is not None:
                    found.setdefault(item["name"], set()).add((source["name"], source["key"]))
    for setting, variables in EXISTING.items():
        for variable in variables.split():
            assert found[variable] == {tuple(sources[setting].values())}, variable
    kept = named["ConfigMap/airflow-config"]["data"]["KEPT_FROM_DAGS"].split(",")
    assert {source["secret"] for source in sources.values()} <= {*kept}


def test_dags_know_the_priority_of_tasks_and_those_that_are_not_for_them() -> None:
    data = objects(CELERY)["ConfigMap/airflow-config"]["data"]
    assert not {"TASK_PRIORITY_CLASS", "PRIORITY_CLASSES_KEPT_FROM_DAGS"} & {*data}
    for_all = f"{CELERY} pods.priorityClassName=high"
    data = objects(f"{for_all} airflow.jobs.priorityClassName=job")["ConfigMap/airflow-config"]
    assert data["data"]["TASK_PRIORITY_CLASS"] == "high"
    assert data["data"]["PRIORITY_CLASSES_KEPT_FROM_DAGS"] == "job"
    data = objects(f"{for_all} airflow.tasks.priorityClassName=low")["ConfigMap/airflow-config"]
    assert data["data"]["TASK_PRIORITY_CLASS"] == "low"
    assert data["data"]["PRIORITY_CLASSES_KEPT_FROM_DAGS"] == "high"


def test_a_task_waits_for_an_api_server_unless_the_values_say_otherwise() -> None:
    name = "AIRFLOW__WORKERS__EXECUTION_API_RETRIES"
    assert objects(CELERY)["ConfigMap/airflow-config"]["data"][name] == "12"
    own = f"{CELERY} airflow.configuration.workers.execution_api_retries=3"
    assert objects(own)["ConfigMap/airflow-config"]["data"][name] == "3"
    older = f"{CELERY} airflow.version={PREVIOUS}"
    assert name not in objects(older)["ConfigMap/airflow-config"]["data"]


@pytest.mark.parametrize("source", ["image", "git"])
@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("version", [CURRENT, PREVIOUS])
def test_nothing_may_collide_with_what_any_executor_has(
    version: str, executor: str, source: str
) -> None:
    """What the rules know of the program's own names is what pods have."""
    given = (
        f"airflow.version={version} airflow.executor={executor} airflow.dags.source={source} "
        "airflow.dags.git.repository=https://h/a airflow.dags.git.secret=s "
        "airflow.url=https://airflow.example.com"
    )
    own = {".".join(map(str, layers[-1][0])): known for known, layers in pods(load("dev", given))}
    for name, pod in specs(objects(given)).items():
        (path,) = (path for path, names in SECTIONS.items() if name in names)
        _covered(own[path], pod)
    for _, template in templates(objects(given)):
        assert {*template["metadata"]["labels"]} <= LABELS


def _covered(own: Own, pod: Object) -> None:
    main = pod["containers"][0]
    everything = [*pod.get("initContainers", []), *pod["containers"]]
    assert {item["name"] for item in everything} <= own.containers
    assert {item["name"] for item in pod["volumes"]} <= own.volumes
    assert {item["mountPath"] for item in main["volumeMounts"]} <= {*own.folders}
    names = {item["name"] for item in main.get("env", [])} - {"HOME"}
    assert {name for name in names if not name.startswith("AIRFLOW__")} <= own.variables


def test_the_servers_have_nothing_of_airflows_containers(rendered: Objects) -> None:
    for name in SERVERS:
        assert "all-" not in json.dumps(specs(rendered)[name]["volumes"])
