"""What the API server would refuse of task pods stops `make up` before it changes anything."""

import json
import subprocess

import pytest

from .conftest import Deployment

pytestmark = pytest.mark.cluster

LIMIT_RANGE = {
    "apiVersion": "v1",
    "kind": "LimitRange",
    "metadata": {"name": "small"},
    "spec": {"limits": [{"type": "Container", "max": {"memory": "100Mi"}}]},
}
REFUSED = (
    "the API server refuses the pods of tasks; nothing was changed:\n"
    "  airflow.tasks.resources: maximum memory usage per Container is 100Mi, but limit is "
)


def test_limits_of_the_namespace_stop_up_and_policies(elsewhere: Deployment) -> None:
    elsewhere.kubectl("create", "namespace", elsewhere.namespace)
    apply = ["kubectl", "--namespace", elsewhere.namespace, "apply", "--filename=-"]
    subprocess.run(apply, input=json.dumps(LIMIT_RANGE), text=True, check=True)
    assert REFUSED in elsewhere.up(ok=False)
    assert REFUSED in elsewhere.call(*elsewhere.command("policies"), ok=False)
    objects = elsewhere.kubectl("get", "secrets,deployments,jobs,pvc", "--output=name")
    assert objects == ""
    # Tasks have no pods of their own, so their template stops nothing.
    elsewhere.call(*elsewhere.command("policies", more="airflow.executor=LocalExecutor"))
