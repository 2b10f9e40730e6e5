"""Lines in a task's own log that are not the task's: what the cluster does with its pod.

Both Airflow lines show every file whose name begins like the task's log (option
log_filename_template): each writer has a file of its own next to it, `attempt=N.log.<writer>`.
The standard library alone: a side-car without Airflow uses it too.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from pathlib import Path

UTC = datetime.timezone.utc  # noqa: UP017 - the image may have Python 3.10
IDENTITY = {"dag_id", "run_id", "task_id", "try_number"}
"""What identifies a try of a task in the annotations of its pod, with map_index if it has one."""


def log_file(base: Path, task: Mapping[str, str], writer: str) -> Path | None:
    """The file of a writer next to a task's log; None if it is not below `base`, or of no task."""
    if not {*task} >= IDENTITY:
        return None
    folder = base / f"dag_id={task['dag_id']}" / f"run_id={task['run_id']}"
    folder /= f"task_id={task['task_id']}"
    if "map_index" in task:
        folder /= f"map_index={task['map_index']}"
    file = folder / f"attempt={task['try_number']}.log.{writer}"
    return file if file.resolve().is_relative_to(base.resolve()) else None


def base_folder() -> Path:
    """The folder of all logs."""
    return Path(os.environ["AIRFLOW__LOGGING__BASE_LOG_FOLDER"])


def write(file: Path, writer: str, text: str) -> None:
    """Append one line. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(UTC).isoformat(timespec="milliseconds")
    with file.open("a", encoding="utf-8") as log:
        log.write(f"[{now}] {{{writer}}} WARNING - {text}\n")
