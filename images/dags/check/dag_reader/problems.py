"""What is wrong with a DAG file, in words, at a place in the DAG folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .places import Lookup, Places

Problem = dict[str, Any]

REMEDIES = (
    (
        r"^ModuleNotFoundError: ",
        "add its package to images/airflow/requirements.in and run make lock, or run the task in "
        "an image of its own (docs/task-images.md)",
    ),
    (r"^AirflowDagCycleException: ", "remove one of the dependencies"),
    (r"^SystemExit\b", "nothing may end the process that reads the file"),
    (
        r"name resolution|getaddrinfo|NameResolutionError|Network is unreachable|"
        r"Connection refused|Cannot assign requested address",
        "this check has no network, and what a file waits for delays every DAG: do it in a task",
    ),
    (
        r"[Dd]atabase access|Airflow Metadatabase",
        "ask Airflow's REST API in a task",
    ),
)
"""The first pattern that an import error matches counts."""

HOW = {
    "variable": (
        "reads the variable {0!r}",
        "in a task, or in a template: {{{{ var.value.{0} }}}}",
    ),
    "connection": ("reads the connection {0!r}", "in a task, by its hook"),
    "database": ("asks a database", "in a task"),
}
"""What is wrong with each, and the place for it."""


def problem(place: tuple[str, int], message: str, *, error: bool = True) -> Problem:
    """A problem at a place in the DAG folder."""
    return {"file": place[0], "line": place[1], "message": message, "error": error}


def missing(dag: Any, places: Places, given: dict[str, Any]) -> Iterator[Problem]:
    """Queues and pools that the environment does not have."""
    for task in dag.tasks:
        place = places.tasks.get((dag.dag_id, task.task_id)) or places.of_dag(dag.dag_id)
        name = f"task {task.task_id!r} of {dag.dag_id!r}"
        of_celery = task.executor is None or "celery" in task.executor.lower()
        if task.queue not in given["queues"] and of_celery:
            known = ", ".join(given["queues"])
            wait = "it would wait for ever" if given["celery"] else "with Celery it would wait"
            yield problem(
                place,
                f"{name}: no workers serve the queue {task.queue!r}, so that {wait}; there are "
                f"{known}: name one of them, or add it to a set in airflow.celery.workers",
                error=given["celery"],
            )
        if task.pool not in given["pools"]:
            yield problem(
                place,
                f"{name}: the pool {task.pool!r} is not one that Airflow has from the start: "
                "create it (Admin, Pools), or the task waits for ever",
                error=False,
            )


def import_problems(text: str, places: Places) -> Iterator[Problem]:
    """What an import error says; nothing, if it is the consequence of a lookup."""
    place, message = located(text, places)
    if match := re.match(r"AirflowClusterPolicyViolation: task (\S+): (.+)", message, re.DOTALL):
        place = places.named_in(match[1])
        lines = text.partition(f"task {match[1]}:")[2].strip().splitlines()
        yield from (problem(place, f"task {match[1]!r}: {line.strip()}") for line in lines)
        return
    if message.startswith("AirflowTaskTimeout: "):
        message = "takes longer than core.dagbag_import_timeout; move what takes long into a task"
    for found in places.lookups:
        if found[:2] == place and found[3] in message:
            places.lookups[found] = True
            return
    remedy = next((advice for pattern, advice in REMEDIES if re.search(pattern, message)), "")
    yield problem(place, "; ".join(filter(None, (message.rstrip("."), remedy))))


def located(text: str, places: Places) -> tuple[tuple[str, int], str]:
    """The place and the one-line message of a traceback, or of an error without one."""
    # What was raised at last comes last.
    last = re.split(r"\n(?:During handling|The above exception)[^\n]*\n", text)[-1]
    frames = [
        (places.relative(match[1]), int(match[2]))
        for match in re.finditer(r'^ *File "([^"]+)", line (\d+)', last, re.MULTILINE)
        if places.relative(match[1]) != match[1]
    ]
    lines = last.strip().splitlines()
    calls = [at for at, line in enumerate(lines) if re.match(r' *File "', line)]
    if calls:  # below the last of them is its code, and then the error
        end = calls[-1] + 1
        while end < len(lines) and lines[end].startswith("    "):
            end += 1
        lines = lines[end:]
    message = " ".join(" ".join(lines).split())
    message = re.sub(r"^(?:\w+\.)+(?=\w+(?:: |$))", "", message)
    return (frames[-1] if frames else places.named_in(message)), message


def repeated(
    made: list[tuple[str, tuple[str, int]]], dags: dict[str, Any]
) -> Iterator[tuple[str, tuple[str, int]]]:
    """DAGs of a file, by id and place, whose id an earlier one has at another place."""
    first: dict[str, tuple[str, int]] = {}
    for dag_id, place in made:
        if dag_id in dags and first.setdefault(dag_id, place) != place:
            yield dag_id, place


def add_duplicates(found: list[dict[str, Any]]) -> None:
    """Add a problem to each file with a DAG that an earlier file has too."""
    owners: dict[str, str] = {}
    for result in found:
        for dag_id, dag in result["dags"].items():
            owner = owners.setdefault(dag_id, result["file"])
            if owner != result["file"]:
                place, other = (result["file"], dag["line"]), f"dags/{owner}"
                message = f"the DAG {dag_id!r} is in {other} too: give one another dag_id"
                result["problems"].append(problem(place, message))


def slow(result: dict[str, Any], timeout: float) -> Problem:
    """The problem of a file that takes long."""
    return problem(
        (result["file"], 0),
        f"takes {result['seconds']:.1f} s each time it is read, and after {timeout:.0f} s "
        "(core.dagbag_import_timeout) Airflow gives up: import in a task what only that needs",
        error=False,
    )


def lookup(found: Lookup, *, ended: bool) -> Problem:
    """The problem of a lookup at import. What an environment has is not known here, so that one is
    no error even if it `ended` the import.
    """
    file, line, what, name = found
    wrong, remedy = HOW[what]
    rest = ". What follows needs the answer, and was not checked" if ended else ""
    message = f"{wrong} each time the file is read, every half a minute: do that {remedy}{rest}"
    return problem((file, line), message.format(name), error=False)
