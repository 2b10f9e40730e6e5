"""A task that waits on the triggerer: it holds no worker, no slot and no pod meanwhile.

`wait` runs twice, for a moment each: before and after the trigger. It returns the time at which the
triggerer let it go on, and `after` returns the same.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

try:
    from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
    from airflow.sdk import BaseOperator, dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task
    from airflow.models import BaseOperator
    from airflow.triggers.temporal import TimeDeltaTrigger


class Wait(BaseOperator):
    """Waits from its own start, unlike the time sensors, which wait from the run's date."""

    def __init__(self, seconds: int, **options: Any) -> None:
        super().__init__(**options)
        self.seconds = seconds

    def execute(self, context: Any) -> None:  # noqa: ARG002 - Airflow passes it by name
        """Leave the rest to the triggerer."""
        self.defer(
            trigger=TimeDeltaTrigger(timedelta(seconds=self.seconds)),
            method_name="resume",
        )

    def resume(self, context: Any, event: Any) -> str:  # noqa: ARG002
        """Return what the trigger says: the time, as text in ISO 8601."""
        return str(event)


@dag(
    dag_id="deferrable",
    schedule=None,
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["example"],
    doc_md=__doc__,
)
def deferrable() -> None:
    @task
    def after(moment: str) -> str:
        """Runs when the wait is over."""
        print(f"waited until {moment}")
        return moment

    after(Wait(task_id="wait", seconds=5).output)


deferrable()
