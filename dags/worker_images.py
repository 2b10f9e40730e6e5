"""Which image KubernetesExecutor runs a task in: the slim one, or the one that the task names.

On Airflow 3 a task's pod needs neither the web server's packages nor the database's driver, so by
default it has an image without them (`airflow.tasks.image: slim`). A task that needs them names the
whole image; it could as well name one of your own that is based on either. Airflow 2 has the whole
image alone, and other executors run all tasks in their own.
"""

from datetime import UTC, datetime
from importlib.util import find_spec

from kubernetes.client import V1Container, V1Pod, V1PodSpec
from task_images import task_image

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

WHOLE = V1Pod(
    spec=V1PodSpec(containers=[V1Container(name="base", image=task_image("airflow"))]),
)


def tell(task_name: str) -> None:
    """Print whether the database driver is there."""
    print(f"{task_name}: {'slim' if find_spec('MySQLdb') is None else 'whole'} image")


@dag(
    dag_id="worker_images",
    schedule=None,
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["example"],
    doc_md=__doc__,
)
def worker_images() -> None:
    @task
    def by_default() -> None:
        """Runs in the image of `airflow.tasks.image`."""
        tell("by_default")

    @task(executor_config={"pod_override": WHOLE})
    def by_name() -> None:
        """Runs in the image that it names."""
        tell("by_name")

    by_default()
    by_name()


worker_images()
