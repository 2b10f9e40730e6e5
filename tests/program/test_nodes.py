"""What those see that add, empty and remove nodes: the cluster autoscaler and Karpenter."""

import pytest
from airflow_kubernetes.airflow.executors import EXECUTORS

from .objects import objects, templates

MAY_MOVE = {"api-server", "dag-processor", "flower", "scheduler", "sweep-pods", "triggerer"}


@pytest.mark.parametrize("executor", EXECUTORS)
def test_what_runs_tasks_or_holds_data_stays_on_its_node_and_the_rest_may_move(
    executor: str,
) -> None:
    given = f"airflow.executor={executor}"
    movable = set()
    for name, template in templates(objects(given)):
        annotations = template["metadata"]["annotations"]
        # Every pod has an emptyDir, for which the cluster autoscaler would leave it where it is.
        evict = annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"]
        stays = annotations.get("karpenter.sh/do-not-disrupt") == "true"
        assert evict == ("false" if stays else "true"), name
        if not stays:
            movable.add(name)
    runs_tasks = {"scheduler"} if EXECUTORS[executor].local else set()
    absent = {"flower"} if not EXECUTORS[executor].celery else set()
    absent |= {"sweep-pods"} if not EXECUTORS[executor].kubernetes else set()
    assert movable == MAY_MOVE - runs_tasks - absent
