"""compose.yaml runs what the program deploys for LocalExecutor; exceptions are listed here."""

import re
from typing import Any

import pytest
import yaml
from airflow_kubernetes.local.env_file import SECRETS

from .conftest import ROOT, render

Obj = dict[str, Any]
Objects = dict[str, Obj]

NOT_LOCAL = {
    "airflow-backup": "a laptop's database has no data to back up",
    "airflow-sweep-pods": "Compose has no pods",
}
"""Workloads of the program that are not in compose.yaml."""

NO_SERVICE = {
    "wait-for-migrations": "Compose starts a service when what it depends on is ready",
    "guard-release": "an older schema is migrated at once: the data is only the author's",
    "wait-for-tasks": "no other executor can still have running tasks",
}
"""Init containers that are not in compose.yaml."""

ONLY_IN_PODS = {
    "DATABASE_USER": "the kubelet builds the URL from it, Compose from .env",
    "DATABASE_PASSWORD": "as above",
    "KEPT_FROM_DAGS": "Compose has no Secrets",
    "TASKS_NAMESPACE": "Compose has no pods that tasks could launch",
    "TASKS_PODS_EXEC": "as above",
}
ONLY_LOCAL = {
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "a new file is found within seconds, not minutes",
}
"""Variables that only one of the two has."""

DAGS = "/usr/local/airflow/dags"
"""Where pods have a layer of the image."""

SHORTER_GRACE = {"scheduler": "make local-down must not take ten minutes"}


def interpolated(value: Any, env: dict[str, str]) -> Any:
    """The value as Compose reads it: ${NAME}, with a default or an error where there is none."""
    if isinstance(value, dict):
        return {key: interpolated(item, env) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolated(item, env) for item in value]
    if not isinstance(value, str):
        return value

    def variable(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        if match["name"] in env:
            return env[match["name"]]
        assert match["rule"] == ":-", f"{match[0]}: a variable that make local-up does not write"
        return match["rest"]

    return re.sub(r"\$\$|\$\{(?P<name>\w+)(?:(?P<rule>:[-?])(?P<rest>[^}]*))?\}", variable, value)


@pytest.fixture(scope="module")
def services() -> Objects:
    """The services of compose.yaml with what make local-up writes into .env, secrets by name."""
    env = {name: f"<{secret}/{key}>" for name, (secret, key) in SECRETS.items()}
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    found: Objects = interpolated(yaml.safe_load(text), {**env, "AIRFLOW_IMAGE": "<airflow>"})
    return found["services"]


@pytest.fixture(scope="module")
def objects() -> list[Obj]:
    """The program's objects for the same values with LocalExecutor."""
    return list(yaml.safe_load_all(render("dev", "airflow.executor=LocalExecutor")))


@pytest.fixture(scope="module")
def pods(objects: list[Obj]) -> Objects:
    """Pod specs by the name of their one container."""
    found = {}
    for obj in objects:
        if obj["kind"] in ("Deployment", "StatefulSet", "Job"):
            spec = obj["spec"]["template"]["spec"]
            (container,) = spec["containers"]
            found[container["name"]] = spec
        else:
            assert obj["kind"] != "CronJob" or obj["metadata"]["name"] in NOT_LOCAL
    return found


NAMES = (
    "mysql", "migrations", "create-admin",
    "api-server", "scheduler", "dag-processor", "triggerer",
)  # fmt: skip


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """The name of a service and of its pod's container."""
    return str(request.param)


@pytest.fixture
def service(name: str, services: Objects) -> Obj:
    return services[name]


@pytest.fixture
def pod(name: str, pods: Objects) -> Obj:
    return pods[name]


@pytest.fixture
def container(pod: Obj) -> Obj:
    (found,) = pod["containers"]
    return dict(found)


def environment_of(container: Obj, objects: list[Obj]) -> dict[str, str]:
    """A container's environment as the kubelet builds it, secrets by name."""
    data = {o["metadata"]["name"]: o.get("data", {}) for o in objects if o["kind"] == "ConfigMap"}
    plain = {o["metadata"]["name"]: o["stringData"] for o in objects if o["kind"] == "Secret"}
    env: dict[str, str] = {}
    for source in container.get("envFrom", []):
        env |= data[source["configMapRef"]["name"]]
    for one in container["env"]:
        if "value" in one:
            env[one["name"]] = re.sub(r"\$\((\w+)\)", lambda m: env[m[1]], one["value"])
        else:
            secret, key = (one["valueFrom"]["secretKeyRef"][x] for x in ("name", "key"))
            drawn = (secret, key) in SECRETS.values()
            env[one["name"]] = f"<{secret}/{key}>" if drawn else plain[secret][key]
    return env


def test_the_services_are_the_workloads(services: Objects, pods: Objects) -> None:
    assert set(services) == set(pods) == set(NAMES)


def test_images(name: str, service: Obj, container: Obj) -> None:
    if name == "mysql":
        assert service["image"] == container["image"]
    else:
        # make local-up decides the reference: see tests/images/test_local.py.
        assert (service["image"], "/airflow" in container["image"]) == ("<airflow>", True)


def test_environment(name: str, service: Obj, container: Obj, objects: list[Obj]) -> None:
    expected = environment_of(container, objects)
    found = dict(service["environment"])
    for variable in ONLY_IN_PODS:
        expected.pop(variable, None)
    if name != "mysql":
        for variable in ONLY_LOCAL:
            found.pop(variable)
    assert found == expected


def test_commands(service: Obj, container: Obj, objects: list[Obj]) -> None:
    env = environment_of(container, objects)
    expected = [re.sub(r"\$\((\w+)\)", lambda m: env[m[1]], text) for text in container["args"]]
    assert "command" not in container
    assert service["command"] == expected
    assert "entrypoint" not in service


def test_privileges(service: Obj, pod: Obj) -> None:
    context = pod["securityContext"]
    assert service["user"] == f"{context['runAsUser']}:{context['runAsGroup']}"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc"} & set(service)


def test_what_may_be_written_is_as_in_pods(name: str, service: Obj, container: Obj) -> None:
    mounts = container["volumeMounts"]
    expected = {mount["mountPath"] for mount in mounts if not mount.get("readOnly")}
    kept = [text for text in service["volumes"] if not text.endswith(":ro")]
    found = {text.split(":")[0] for text in service["tmpfs"]}
    assert found | {text.split(":")[1] for text in kept} == expected
    sources = {text.split(":")[0] for text in kept}
    assert sources == ({"mysql"} if name == "mysql" else {"logs"})


def test_what_is_only_read_is_as_in_pods(service: Obj, container: Obj) -> None:
    mounts = container["volumeMounts"]
    expected = {mount["mountPath"] for mount in mounts if mount.get("readOnly")}
    found = {text.split(":")[1] for text in service["volumes"] if text.endswith(":ro")}
    assert found - {DAGS} == expected


def test_dags_are_those_of_the_checkout(services: Objects) -> None:
    assert f"./dags:{DAGS}:ro" in services["scheduler"]["volumes"]


def test_what_a_pod_waits_for_a_service_depends_on(name: str, service: Obj, pod: Obj) -> None:
    waits = {one["name"]: one["args"] for one in pod.get("initContainers", [])}
    assert set(waits) <= set(NO_SERVICE)
    found = {key: one["condition"] for key, one in service.get("depends_on", {}).items()}
    if name == "mysql":
        expected = {}
    elif name == "api-server":
        # `up --wait` accepts the end of a service only if another service waits for it.
        expected = {"create-admin": "service_completed_successfully"}
    elif "--database-only" in waits["wait-for-migrations"]:
        expected = {"mysql": "service_healthy"}
    else:
        expected = {"migrations": "service_completed_successfully"}
    assert found == expected


def test_health_is_what_makes_a_pod_ready(service: Obj, container: Obj) -> None:
    probe, check = container.get("readinessProbe"), service.get("healthcheck")
    if probe is None:
        assert check is None
        return
    assert check is not None
    kind, *command = check["test"]
    assert kind == "CMD"
    if "exec" in probe:
        assert command == probe["exec"]["command"]
    else:
        get = probe["httpGet"]
        assert f'"http://localhost:{get["port"]}{get["path"]}"' in command[-1]


def test_stopping(name: str, service: Obj, pod: Obj) -> None:
    expected = pod.get("terminationGracePeriodSeconds")
    found = service.get("stop_grace_period")
    if name in SHORTER_GRACE:
        assert int(str(found).rstrip("s")) < int(expected or 0)
    else:
        assert found == (None if expected is None else f"{expected}s")


def test_services_are_found_by_the_names_that_they_have_in_a_cluster(
    services: Objects, objects: list[Obj]
) -> None:
    expected = {obj["metadata"]["name"] for obj in objects if obj["kind"] == "Service"}
    found = [
        one["networks"]["default"]["aliases"] for one in services.values() if "networks" in one
    ]
    assert {name for names in found for name in names} == expected


def test_only_the_web_address_is_open_and_to_this_machine_alone(services: Objects) -> None:
    ports = {name: one["ports"] for name, one in services.items() if "ports" in one}
    assert ports == {"api-server": ["127.0.0.1:8080:8080"]}


def test_no_secret_has_a_default() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    for name in SECRETS:
        assert f"${{{name}:?" in text
        assert f"${{{name}:-" not in text
        assert f"${{{name}}}" not in text
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()
