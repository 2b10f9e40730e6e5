"""The images of images/tasks/, for DAGs: `KubernetesPodOperator(image=task_image("pandas-1"), …)`.

A deployment mounts a file of their references by digest, so a DAG always runs what was built
together with it. The names `airflow` and `airflow-worker` are there too, for a task's
`executor_config` that wants the one or the other.
"""

from __future__ import annotations

import difflib
import json
import os
from pathlib import Path

FILE = Path(os.environ.get("TASK_IMAGES_FILE", "/opt/task-images/images.json"))


def task_image(name: str) -> str:
    """The reference by digest of an image. Raises LookupError, when the DAG is parsed, for another
    name than those of the environment, and for an environment without task images.
    """
    try:
        images: dict[str, str] = json.loads(FILE.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LookupError(
            f"task image {name!r}: there is no {FILE}; deployments mount it"
        ) from None
    if name not in images:
        near = difflib.get_close_matches(name, images, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise LookupError(f"no task image {name!r}; {hint}known: {', '.join(sorted(images))}")
    return images[name]
