"""DAG processor and triggerer: components whose health is their heartbeat in the database."""

import pytest
from airflow_kubernetes.airflow.releases import RELEASES

from .objects import init, objects, pods


@pytest.mark.parametrize("version", RELEASES)
@pytest.mark.parametrize(
    ("component", "job_type"),
    [("dag-processor", "DagProcessorJob"), ("triggerer", "TriggererJob")],
)
def test_their_probes_look_for_their_own_heartbeat(
    component: str, job_type: str, version: str
) -> None:
    pod = pods(objects(f"airflow.version={version}"))[component]
    (container,) = pod["containers"]
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        command = container[name]["exec"]["command"]
        assert command == ["python", "/opt/checks/heartbeat.py", job_type]
    assert init(pod) == ["wait-for-migrations"]
