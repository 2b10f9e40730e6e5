"""The chart's values as this program's, which accepts all that comes out."""

import tempfile
from pathlib import Path
from typing import Any

from .. import rules
from ..settings import document
from ..settings import load as values
from ..settings.load import VALUES
from ..settings.problems import Problem, SettingsError
from .keys import table
from .result import Note, Result
from .rules import walk

DEFAULT_EXECUTOR = "CeleryExecutor"
"""The chart's own."""

ROUNDS = 50
"""Each takes back at least one value; what is wrong in one section may hide what is in another."""


def convert(file: document.Document) -> tuple[dict[str, Any], list[Note]]:
    """The values to add to values/common.yaml, and a line for what is not simply among them."""
    given = file.data
    executor = str(given.get("executor") or DEFAULT_EXECUTOR)
    result = Result()
    if "executor" not in given:
        result.set("airflow.executor", DEFAULT_EXECUTOR, "executor")
    walk(result, "", given, table(executor))
    common = document.read(VALUES / "common.yaml", "values/common.yaml").data
    _complete(result, common)
    _take_back(result, common)
    notes = {Note(_line(file, key), key, text) for key, text in result.notes}
    return result.values, sorted(notes)


def _complete(result: Result, common: dict[str, Any]) -> None:
    """A set of workers has at least as many as it begins with, and a further set all it needs."""
    known = common["airflow"]["celery"]["workers"]
    sets = result.values.get("airflow", {}).get("celery", {}).get("workers", {})
    for name, given in sets.items():
        if "replicas" in given and "maxReplicas" not in given:
            given["maxReplicas"] = given["replicas"]
        sets[name] = given if name in known else values.merged(next(iter(known.values())), given)


def _take_back(result: Result, common: dict[str, Any]) -> None:
    """Remove what the program would refuse, and note its own words about it."""
    for _ in range(ROUNDS):
        problems = _problems(values.merged(common, result.values))
        removed = False
        for problem in problems:
            source = result.remove(tuple(problem.path.split(".")))
            if source is not None:
                result.note(source, f"left out: {problem.path}: {problem.message}")
                removed = True
        if not removed:
            return


def _problems(data: dict[str, Any]) -> list[Problem]:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        (directory / "common.yaml").write_text(document.dump(data), encoding="utf-8")
        (directory / "chart.yaml").write_text("{}\n", encoding="utf-8")
        try:
            values.load("chart", "", directory, rules.problems)
        except SettingsError as error:
            return error.problems
    return []


def _line(file: document.Document, key: str) -> int:
    """The line of a key, or of the nearest one above it."""
    parts: tuple[str, ...] = tuple(key.split("."))
    while parts:
        if (line := file.lines.get(parts)) is not None:
            return line
        parts = parts[:-1]
    return 1
