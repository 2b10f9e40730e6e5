"""What every pod needs that KubernetesPodOperator starts here, so that DAGs need not repeat it:
namespace, account and security context.

    @dag(default_args=pod_defaults(), …)

gives it to all operators of a DAG. What an operator sets itself goes first; its volumes and
environment variables come on top.
"""

from __future__ import annotations

import copy
import os
from typing import Any

STAYS = {
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    "karpenter.sh/do-not-disrupt": "true",
}
"""Annotations by which autoscalers leave a pod on its node."""

# Satisfies Pod Security `restricted`. The user is the image's: a number there, and not 0.
_TEMPLATE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "spec": {
        # Without rights, in the namespace of launched pods.
        "serviceAccountName": "airflow-launched-pods",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "base",
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "readOnlyRootFilesystem": True,
                },
                "resources": {
                    "requests": {"cpu": "100m", "memory": "256Mi"},
                    "limits": {"cpu": "1", "memory": "1Gi"},
                },
                # Libraries write there, and the image's is read-only.
                "env": [{"name": "HOME", "value": "/tmp"}],
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}],
    },
}


def pod_defaults() -> dict[str, Any]:
    """Arguments of KubernetesPodOperator. Operators of other kinds ignore them as `default_args`.

    A task's own size: `container_resources=V1ResourceRequirements(…)`.
    """
    template = copy.deepcopy(_TEMPLATE)
    namespace = os.environ.get("TASKS_NAMESPACE")  # empty where tasks may not launch pods
    # images.login or images.imagePullSecrets
    if secrets := os.environ.get("TASK_PULL_SECRETS"):
        template["spec"]["imagePullSecrets"] = [{"name": name} for name in secrets.split(",")]
    return {
        # The pod's account in this cluster; no connection of Airflow.
        "kubernetes_conn_id": None,
        "in_cluster": True,
        **({"namespace": namespace} if namespace else {}),
        "pod_template_dict": template,
        "startup_timeout_seconds": 600,  # a node may have to pull a large image first
        "log_events_on_failure": True,
    }


def stay(pod: Any) -> None:
    """Have autoscalers leave a pod on its node, unless its annotations say other."""
    pod.metadata.annotations = {**STAYS, **(pod.metadata.annotations or {})}


def rank(pod: Any) -> None:
    """Give a pod the priority of tasks (airflow.tasks.priorityClassName), unless it has its own."""
    if (tasks := os.environ.get("TASK_PRIORITY_CLASS")) and pod.spec.priority_class_name is None:
        pod.spec.priority_class_name = tasks


def complete_sidecar(pod: Any) -> None:
    """Make the side-car that holds an operator's result (XCom) fit for where its pod runs.

    The provider's own has an image of Docker Hub, which not every cluster can pull, and no security
    context. It gets the image of the task, which the node has by then, and the task's security
    context. What is set by other ways (the operator's `xcom_sidecar_…`, a connection) stays.

    The image needs sh, cat, sleep and pgrep, as the provider runs them there. An image without them
    needs a connection that names another: see docs/task-images.md.
    """
    task, *others = pod.spec.containers
    if not others:
        return
    # Not at the top: components that start no pods would load it too.
    from airflow.providers.cncf.kubernetes.utils.xcom_sidecar import PodDefaults

    default = PodDefaults.SIDECAR_CONTAINER
    for container in others:
        if container.name != default.name:
            continue
        if container.image == default.image:
            container.image = task.image
            container.image_pull_policy = task.image_pull_policy
        if container.resources == default.resources:
            container.resources = copy.deepcopy(default.resources)
            container.resources.limits = {"cpu": "100m", "memory": "64Mi"}
        if container.security_context is None:
            container.security_context = copy.deepcopy(task.security_context)
            if container.image != task.image and container.security_context is not None:
                # Images of small tools run as root unless the pod says otherwise.
                container.security_context.run_as_user = 50000
