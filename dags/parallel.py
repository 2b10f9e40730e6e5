"""Many small tasks at once, to see how an executor takes them: `parallel` on the default queue,
`parallel_pods` on the queue "kubernetes". A run's parameters say how many, and for how long.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

try:
    from airflow.sdk import Param, dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task
    from airflow.models.param import Param


def parallel(dag_id: str, **options: Any) -> None:
    """Declare a DAG whose tasks have these options."""

    @dag(
        dag_id=dag_id,
        schedule=None,
        start_date=datetime(2024, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_tasks=1000,  # the executor and the pool are the limits to be seen
        default_args={"retries": 2, "retry_delay": timedelta(seconds=5)},
        params={
            "tasks": Param(50, type="integer", minimum=1, maximum=1000),
            "seconds": Param(0, type="integer", minimum=0),
        },
        tags=["example"],
        doc_md=__doc__,
    )
    def many() -> None:
        @task
        def numbers(params: Any = None) -> list[int]:
            """One number for each task."""
            return list(range(params["tasks"]))

        @task(**options)
        def work(number: int, params: Any = None) -> None:
            """Run for the requested time."""
            print(f"task {number} starts")
            time.sleep(params["seconds"])
            print(f"task {number} ends")

        work.expand(number=numbers())

    many()


parallel("parallel")
parallel("parallel_pods", queue="kubernetes")
