"""Proof that the deployment works: a value goes through XCom and ends in the metadata database.

`choose` returns the id of its own run, `record` stores it in the Airflow Variable
`smoke_last_run`. After a green run the Variable equals the run's id. Running `record` again stores
the same value, so a retry does no harm.

Never scheduled: trigger it manually or through the REST API. It uses the network of Airflow alone.
"""

from datetime import UTC, datetime, timedelta

try:
    from airflow.sdk import Variable, dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task
    from airflow.models import Variable


@dag(
    dag_id="smoke",
    schedule=None,
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,  # two runs at a time would race for the one Variable
    default_args={"retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["smoke"],
    doc_md=__doc__,
)
def smoke() -> None:
    @task
    def choose(this_run: str) -> str:  # a parameter named run_id would be the context's own
        """Return the value that `record` stores."""
        return this_run

    @task
    def record(value: str) -> None:
        """Store the value where a test can see it."""
        Variable.set("smoke_last_run", value)
        print(f"smoke_last_run = {value}")

    record(choose("{{ run_id }}"))


smoke()
