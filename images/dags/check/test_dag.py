"""Runs one DAG without scheduler and cluster: `airflow dags test`, on the database of this layer."""

import json
import os
import sys
from pathlib import Path

given = json.loads((Path(__file__).parent / "environment.json").read_text(encoding="utf-8"))
os.environ.update(given["run"], TASK_IMAGES_FILE=str(Path(__file__).parent / "images.json"))
os.execvp("airflow", ["airflow", "dags", "test", "--", sys.argv[1]])  # noqa: S606, S607
