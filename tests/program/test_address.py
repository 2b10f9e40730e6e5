"""`airflow.url`: a path, and https that ends in front of Airflow, on either line."""

import pytest
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS, RELEASES
from airflow_kubernetes.environment import load
from airflow_kubernetes.settings.problems import SettingsError

from .objects import containers, env, objects, pods

WEB = {CURRENT: "api-server", PREVIOUS: "webserver"}

SECURE = {
    CURRENT: {"AIRFLOW__FAB__COOKIE_SECURE", "AIRFLOW__FAB__ENABLE_PROXY_FIX"},
    PREVIOUS: {"AIRFLOW__WEBSERVER__COOKIE_SECURE", "AIRFLOW__WEBSERVER__ENABLE_PROXY_FIX"},
}


def configuration(overrides: str) -> dict[str, str]:
    data: dict[str, str] = objects(overrides)["ConfigMap/airflow-config"]["data"]
    return data


@pytest.mark.parametrize("version", RELEASES)
@pytest.mark.parametrize("path", ["", "/airflow", "/data/airflow"])
def test_probes_and_tasks_use_the_path_of_the_address(version: str, path: str) -> None:
    overrides = f"airflow.version={version} airflow.url=http://localhost:8080{path}"
    web = RELEASES[version].web
    (container,) = pods(objects(overrides))[WEB[version]]["containers"]
    found = [container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("liveness", "readiness")]
    assert found == [f"{path}{web.alive}", f"{path}{web.ready}"]
    if RELEASES[version].execution_api:
        url = configuration(overrides)["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]
        assert url == f"http://airflow-web:8080{path}/execution/"


@pytest.mark.parametrize("version", RELEASES)
def test_https_gives_secure_cookies_and_redirects_to_https(version: str) -> None:
    overrides = f"airflow.version={version} airflow.url="
    plain, secure = configuration(f"{overrides}http://a"), configuration(f"{overrides}https://a")
    assert SECURE[version] & {*plain} == set()
    assert {secure[name] for name in SECURE[version]} == {"True"}


def test_uvicorn_believes_the_headers_of_an_ingress_controller_only() -> None:
    def args(url: str) -> list[str]:
        (container,) = pods(objects(f"airflow.url={url}"))["api-server"]["containers"]
        return list(container["args"])

    assert args("http://a") == ["airflow", "api-server"]
    assert args("https://a") == ["airflow", "api-server", "--proxy-headers"]
    trusted = configuration("airflow.url=https://a")["FORWARDED_ALLOW_IPS"].split(",")
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"} <= {*trusted}
    assert "*" not in trusted


@pytest.mark.parametrize("version", RELEASES)
@pytest.mark.parametrize("executor", ["KubernetesExecutor", "CeleryExecutor", "LocalExecutor"])
def test_no_variable_of_a_pod_with_tasks_may_be_replaced(version: str, executor: str) -> None:
    chosen = f"airflow.version={version} airflow.executor={executor} airflow.tasks.env.MINE=x"
    rendered = pods(objects(chosen))
    name = {"CeleryExecutor": "worker-default", "LocalExecutor": "scheduler"}
    pod = rendered[name.get(executor, "pod-template")]
    own = {*configuration(chosen)}.union(*(env(each) for each in containers(pod)))
    own -= {"MINE", "HOME"}  # which is /tmp unless the values name another folder
    with pytest.raises(SettingsError) as error:
        load("dev", f"{chosen} {' '.join(f'airflow.tasks.env.{name}=x' for name in own)}")
    assert {each.path.rpartition(".")[2] for each in error.value.problems} == own
