"""Tasks as containers of any image: KubernetesPodOperator.

The executor runs a task that starts a pod, follows its log and deletes it. The image needs no
Airflow; it comes from the Airflow Variable `example_image`. `plain` keeps its own process while the
pod runs, `deferred` gives it back and lets the triggerer wait.

`pod_defaults()` puts the pods into the namespace of launched pods, which has nothing of Airflow's,
and makes them satisfy the Pod Security level `restricted`. This image has no user, so the operator
names one.
"""

from datetime import UTC, datetime
from typing import Any

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from kubernetes.client import V1PodSecurityContext, V1ResourceRequirements, V1SeccompProfile
from pod_defaults import pod_defaults

try:
    from airflow.sdk import dag
except ImportError:  # Airflow 2
    from airflow.decorators import dag


def pod(task_id: str, **options: Any) -> KubernetesPodOperator:
    """A task that runs a shell command in a pod."""
    return KubernetesPodOperator(
        task_id=task_id,
        name=task_id,
        image="{{ var.value.get('example_image', 'busybox:1.36') }}",
        cmds=["sh", "-c"],
        arguments=[f'echo "{task_id}: $(hostname) runs as $(id -u)"; sleep 5'],
        container_resources=V1ResourceRequirements(
            requests={"cpu": "50m", "memory": "32Mi"}, limits={"cpu": "200m", "memory": "64Mi"}
        ),
        security_context=V1PodSecurityContext(
            run_as_non_root=True,
            run_as_user=65534,
            run_as_group=65534,
            seccomp_profile=V1SeccompProfile(type="RuntimeDefault"),
        ),
        **options,
    )


@dag(
    dag_id="pod_operator",
    schedule=None,
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args=pod_defaults(),
    tags=["example"],
    doc_md=__doc__,
)
def pod_operator() -> None:
    pod("plain")
    pod("deferred", deferrable=True)


pod_operator()
