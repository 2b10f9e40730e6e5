"""Runs one DAG without scheduler and cluster: `airflow dags test`, on a database of this layer."""

import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main(dag: str) -> None:
    """Run the DAG; ends with exit code 1 if its run fails."""
    given = json.loads((HERE / "environment.json").read_text(encoding="utf-8"))
    os.environ.update(given["run"], TASK_IMAGES_FILE=str(HERE / "images.json"))
    from airflow.__main__ import main as airflow
    from airflow.exceptions import AirflowException

    sys.argv = ["airflow", "dags", "test", "--", dag]
    try:
        airflow()
    except AirflowException as error:
        if "could not be found" not in str(error):
            raise
        sys.exit(f"{error} make check-dags says which files cannot be read, and why")


if __name__ == "__main__":
    main(sys.argv[1])
