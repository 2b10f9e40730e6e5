"""Reading the DAGs of dags/ in the image that they are deployed in, before that happens.

images/dags/check has the programs. They run in a build: so they need neither a cluster nor a
container engine, run wherever images are built, and have no network.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..images import references
from ..images.specs import File, ImageSpec, below, read
from ..kubernetes.pod_settings import merged
from ..paths import ROOT
from ..settings.problems import Problem
from ..settings.schema import Settings
from . import image_catalog, task_profiles
from .configuration import plain
from .releases import RELEASES

NAME = "dag-check"
READ, REPORT, RUN = "read", "report", "run"
"""Stages of the Dockerfile: all DAGs are read; the report of that; a run of one DAG."""

POOLS = ("default_pool",)
"""The pools that Airflow's migrations create."""

OF_DEPLOYMENTS = (
    "AIRFLOW__CORE__EXECUTOR",
    "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST",
    "KUBERNETES_QUEUE_EXECUTOR",
    "TASK_IMAGES",
)
"""Variables of an executor, and of what it gives tasks: `airflow dags test` runs them itself."""

Graph = dict[str, Any]
"""A DAG: `file`, `line`, `schedule`, `paused` (when it is new), and `tasks`: by id, the ids of the
tasks after each.
"""


@dataclass(frozen=True)
class Report:
    """What was read, and how long and in how much memory; `dags` by id."""

    files: int
    seconds: float
    megabytes: int
    dags: dict[str, Graph]
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    @classmethod
    def parse(cls, text: str) -> "Report":
        """The report of check_dags.py."""
        report = json.loads(text)
        found: dict[bool, list[Problem]] = {True: [], False: []}
        for file in report["files"]:
            for problem in file["problems"]:
                place = f"dags/{problem['file']}", problem["line"]
                found[problem["error"]].append(Problem(*place, "", problem["message"]))
        return cls(
            files=len(report["files"]),
            seconds=report["seconds"],
            megabytes=report["megabytes"],
            dags={
                name: {**dag, "file": file["file"]}
                for file in report["files"]
                for name, dag in file["dags"].items()
            },
            errors=tuple(sorted(set(found[True]))),
            warnings=tuple(sorted(set(found[False]))),
        )


def spec(settings: Settings, dags: Path = ROOT / "dags") -> ImageSpec:
    """Airflow's image, the layer of these DAGs and the check. Its tag is the same as long as all
    three and what they are checked for are.
    """
    layer = image_catalog.with_dags(settings, image_catalog.airflow(settings))
    source = ROOT / "images" / "dags" / "check"
    programs = [read(source / name, name) for name in below(source, ROOT / "images")]
    known = {"environment.json": environment(settings), "images.json": _images(settings)}
    return replace(
        layer,
        name=NAME,
        files=(
            *image_catalog.dag_files(dags),
            *(
                file if file.path == "Dockerfile" else replace(file, path=f"check/{file.path}")
                for file in programs
            ),
            *(
                File(f"check/{name}", 0o644, json.dumps(value, sort_keys=True).encode())
                for name, value in known.items()
            ),
        ),
    )


def environment(settings: Settings) -> dict[str, Any]:
    """What check_dags.py and test_dag.py know about the environment: as if there were no DAGs but
    those of the image.
    """
    dags = settings.airflow.dags.model_copy(update={"repositories": {}})
    airflow = settings.airflow.model_copy(update={"dags": dags})
    variables = plain(settings.model_copy(update={"airflow": airflow}))
    executor = RELEASES[airflow.version].executor(airflow.executor)
    reader, task = (
        merged(settings.pods, section).texts() for section in (airflow.dag_processor, airflow.tasks)
    )
    run = {name: value for name, value in variables.items() if name not in OF_DEPLOYMENTS}
    return {
        "variables": variables | reader,
        "run": run | task,
        "queues": sorted({*task_profiles.queues(settings), *airflow.tasks.profiles}),
        "celery": executor.celery,
        "pools": POOLS,
    }


def _images(settings: Settings) -> dict[str, str]:
    """The references by name that task_image() gives DAGs."""
    tags = {item.name: references.by_tag(settings, item) for item in image_catalog.every(settings)}
    return image_catalog.by_short_name(tags)
