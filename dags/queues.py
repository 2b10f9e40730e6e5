"""Where tasks run: the queue is all that a DAG says, the executor decides.

A task of the queue "kubernetes" runs in a pod of its own with KubernetesExecutor and with the
hybrids (CeleryKubernetesExecutor, LocalKubernetesExecutor), and like any other task with the rest.
`report` returns, for a task of each queue, the host that it ran on,
whether that was a pod of its own, and what its `pod_override` put there.
"""

import os
import socket
from datetime import UTC, datetime

from kubernetes.client import V1Container, V1EnvVar, V1ObjectMeta, V1Pod, V1PodSpec

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

# Merged into the pod template by KubernetesExecutor; no other executor reads it. The container of
# a task is always named "base".
OVERRIDE = V1Pod(
    metadata=V1ObjectMeta(labels={"example": "pod-override"}),
    spec=V1PodSpec(
        containers=[V1Container(name="base", env=[V1EnvVar(name="EXAMPLE", value="pod-override")])]
    ),
)


def place() -> dict[str, str | bool]:
    """Where this process runs. In a pod the host's name is the pod's, up to 63 characters of it."""
    return {
        "host": socket.gethostname(),
        "own_pod": "AIRFLOW_IS_K8S_EXECUTOR_POD" in os.environ,
        "override": os.environ.get("EXAMPLE", ""),
    }


@dag(
    dag_id="queues",
    schedule=None,
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["example"],
    doc_md=__doc__,
)
def queues() -> None:
    @task
    def on_default() -> dict[str, str | bool]:
        """Runs where the executor runs a task of the default queue."""
        return place()

    @task(queue="kubernetes", executor_config={"pod_override": OVERRIDE})
    def on_kubernetes() -> dict[str, str | bool]:
        """Runs in a pod of its own, if the executor knows any."""
        return place()

    @task
    def report(default: dict, kubernetes: dict) -> dict[str, dict]:
        """Bring both places together."""
        print(f"default: {default}\nkubernetes: {kubernetes}")
        return {"default": default, "kubernetes": kubernetes}

    report(on_default(), on_kubernetes())


queues()
