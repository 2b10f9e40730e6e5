"""Three tasks whose libraries cannot live together, each in an image of its own.

`totals` runs on pandas 1, `labels` on pandas 2, `chart` on another Debian and Python with a C
library; images/tasks has their code. A result goes through XCom and is the next task's argument.
"""

from datetime import UTC, datetime
from typing import Any

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

# Both are in the Airflow image: images/airflow/config.
from pod_defaults import pod_defaults
from task_images import task_image

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

TOTALS = "{{ ti.xcom_pull(task_ids='totals')['totals'] | tojson }}"
LABELS = "{{ ti.xcom_pull(task_ids='labels')['labels'] | tojson }}"


@dag(
    dag_id="conflicting_libraries",
    schedule=None,
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args=pod_defaults(),
    tags=["example"],
    doc_md=__doc__,
)
def conflicting_libraries() -> None:
    totals = KubernetesPodOperator(
        task_id="totals",
        image=task_image("pandas-1"),
        arguments=["--days", "14"],
        do_xcom_push=True,
    )
    labels = KubernetesPodOperator(
        task_id="labels",
        image=task_image("pandas-2"),
        arguments=["--totals", TOTALS],
        do_xcom_push=True,
    )
    chart = KubernetesPodOperator(
        task_id="chart",
        image=task_image("chart"),
        arguments=["--totals", TOTALS, "--labels", LABELS],
        do_xcom_push=True,
    )

    @task
    def versions(totals: dict[str, Any], labels: dict[str, Any], chart: dict[str, Any]) -> str:
        """What ran in one DAG."""
        found = f"pandas {totals['pandas']} and {labels['pandas']}, Cairo {chart['cairo']}"
        print(found)
        return found

    totals >> labels >> chart
    versions(totals.output, labels.output, chart.output)


conflicting_libraries()
