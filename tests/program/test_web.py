"""The web component: one Service for either line."""

import pytest
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS

from .objects import init, objects, pods


@pytest.mark.parametrize(
    ("version", "component"), [(CURRENT, "api-server"), (PREVIOUS, "webserver")]
)
def test_the_service_finds_the_pods_of_either_line(version: str, component: str) -> None:
    rendered = objects(f"airflow.version={version}")
    service = rendered["Service/airflow-web"]["spec"]
    labels = rendered[f"Deployment/airflow-{component}"]["spec"]["template"]["metadata"]["labels"]
    assert service["selector"].items() <= labels.items()
    assert labels["app.kubernetes.io/version"] == version
    (container,) = pods(rendered)[component]["containers"]
    (port,) = service["ports"]
    assert port["targetPort"] == container["ports"][0]["containerPort"]
    assert init(pods(rendered)[component]) == ["wait-for-migrations"]


def test_the_service_is_of_the_type_and_port_in_the_values() -> None:
    node_port = "airflow.apiServer.service.type=NodePort airflow.apiServer.service.nodePort=30095"
    spec = objects(node_port)["Service/airflow-web"]["spec"]
    assert (spec["type"], spec["ports"][0]["nodePort"]) == ("NodePort", 30095)
    plain = "airflow.apiServer.service.type=ClusterIP airflow.apiServer.service.nodePort=null"
    assert "nodePort" not in objects(plain)["Service/airflow-web"]["spec"]["ports"][0]


def test_a_database_that_is_unavailable_restarts_no_web_process() -> None:
    (container,) = pods(objects())["api-server"]["containers"]
    alive, ready = (
        container[name]["httpGet"]["path"] for name in ("livenessProbe", "readinessProbe")
    )
    assert (alive, ready) == ("/api/v2/version", "/api/v2/monitor/health")
