"""Reading kubectl diff."""

import pytest
from airflow_kubernetes.kubectl.diff import object_of


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("apps.v1.Deployment.airflow.airflow-scheduler", "Deployment airflow-scheduler"),
        ("v1.ConfigMap.airflow.airflow-config", "ConfigMap airflow-config"),
        ("v1.Namespace..airflow", "Namespace airflow"),
        ("rbac.authorization.k8s.io.v1.Role.airflow.airflow-scheduler", "Role airflow-scheduler"),
        ("autoscaling.v2beta1.Thing.ns.with.dots", "Thing with.dots"),
    ],
)
def test_a_file_of_the_diff_names_its_object(file: str, name: str) -> None:
    line = f"Files /tmp/LIVE-1/{file} and /tmp/MERGED-1/{file} differ"
    assert object_of(line) == name
