"""Reads every DAG file as the DAG processor of this image's release does; writes report.json.

Each file is read in a process of its own, several at a time, with the cluster policies and without
database, network and anything that another file has left behind. What a file asks the database for
is noted and not answered.

report.json: `files`, each with `file`, `seconds`, `dags` and `problems`; `seconds` and `megabytes`
of it all. A problem has `file`, `line` (0: unknown), `message` and `error` (False: a warning).
environment.json: `variables` of the DAG processor; `queues` and `pools` that there are; `celery`,
whether anything waits for a queue.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import resource
import time
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import connection
from pathlib import Path
from typing import Any

from dag_reader.lookups import refuse_lookups
from dag_reader.places import Places
from dag_reader.problems import (
    add_duplicates,
    import_problems,
    lookup,
    missing,
    problem,
    repeated,
    slow,
)

HERE = Path(__file__).parent

QUIET = {
    # Nothing is there. MySQL's, because Airflow refuses SQLite with some executors.
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "mysql+mysqldb://nobody@localhost/none",
    "AIRFLOW__CORE__DAGBAG_IMPORT_ERROR_TRACEBACKS": "True",
    "AIRFLOW__CORE__DAGBAG_IMPORT_ERROR_TRACEBACK_DEPTH": "1000",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL",
    "TASK_IMAGES_FILE": str(HERE / "images.json"),
}
"""Variables that this program needs: it reads tracebacks, and shows no log."""

SECRETS = ("AIRFLOW__SECRETS__", "AIRFLOW__WORKERS__SECRETS_BACKEND")
"""Variables of a secrets backend, which would wait for a network."""

SLOW = 0.1
"""Part of core.dagbag_import_timeout from which on a file is slow."""

PATIENCE = 20.0
"""Seconds after that timeout in which a process has to end."""


def main() -> None:
    """Read all files and write the report."""
    started = time.monotonic()
    given = json.loads((HERE / "environment.json").read_text(encoding="utf-8"))
    variables = given["variables"].items()
    os.environ.update({name: value for name, value in variables if not name.startswith(SECRETS)})
    os.environ.update(QUIET)
    multiprocessing.set_start_method("fork")
    from airflow.configuration import conf
    from airflow.utils.file import list_py_file_paths

    folder = os.path.realpath(conf.get("core", "dags_folder"))
    timeout = conf.getfloat("core", "dagbag_import_timeout")
    files = sorted(list_py_file_paths(folder))
    prepare(files)
    found = list(read_all(files, folder, given, timeout))
    found.sort(key=lambda result: result["file"])
    add_duplicates(found)
    for result in found:
        if timeout * SLOW < result["seconds"] < timeout:
            result["problems"].append(slow(result, timeout))
    usage = resource.getrusage
    report = {
        "files": found,
        "seconds": round(time.monotonic() - started, 1),
        "megabytes": (
            usage(resource.RUSAGE_SELF).ru_maxrss + usage(resource.RUSAGE_CHILDREN).ru_maxrss
        )
        // 1024,
    }
    (HERE / "report.json").write_text(json.dumps(report), encoding="utf-8")


def prepare(files: list[str]) -> None:
    """Import once what every process needs: Airflow's modules that the files import, as the DAG
    processor does (parsing_pre_import_modules), and by one DAG what Airflow imports only when it
    needs it.
    """
    import gc

    from airflow.utils.file import iter_airflow_imports

    dag_bag(None, "")
    modules: dict[str, None] = {}
    for file in files:
        with suppress(Exception):  # no Python: the error is of the file's own process
            modules |= dict.fromkeys(iter_airflow_imports(file))
    for module in modules:
        with suppress(Exception):
            importlib.import_module(module)
    with dag_class()("any", schedule=None) as dag:
        task_decorator()(refuse_lookups)(None)  # any function
    graph(dag)
    gc.freeze()


def read_all(
    files: list[str], folder: str, given: dict[str, Any], timeout: float
) -> Iterator[dict[str, Any]]:
    """The result of each file, in the order in which they are read."""
    waiting = deque(files)
    running: dict[Any, tuple[str, Any, float]] = {}
    while waiting or running:
        while waiting and len(running) < len(os.sched_getaffinity(0)):
            file = waiting.popleft()
            ours, theirs = multiprocessing.Pipe(duplex=False)
            process = multiprocessing.Process(target=_process, args=(theirs, file, folder, given))
            process.start()
            theirs.close()
            running[ours] = file, process, time.monotonic()
        for ended in connection.wait(list(running), timeout=1.0):
            file, process, begun = running.pop(ended)
            try:
                yield ended.recv()
            except EOFError:
                process.join()
                yield _lost(file, folder, begun, _end(process.exitcode))
            process.join()
        for ours, (file, process, begun) in list(running.items()):
            if time.monotonic() - begun > timeout + PATIENCE:
                process.kill()
                process.join()
                del running[ours]
                yield _lost(
                    file,
                    folder,
                    begun,
                    f"does not end within {timeout + PATIENCE:.0f} s, and cannot be interrupted: "
                    "move what takes long into a task",
                )


def _end(code: int) -> str:
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return (
        f"the process that read it ended with {how}: a library crashed, or it took more memory "
        "than there is; do in a task what needs either"
    )


def _lost(file: str, folder: str, begun: float, message: str) -> dict[str, Any]:
    name = os.path.relpath(file, folder)
    seconds = round(time.monotonic() - begun, 2)
    return {
        "file": name,
        "seconds": seconds,
        "dags": {},
        "problems": [problem((name, 0), message)],
    }


def _process(answer: Any, file: str, folder: str, given: dict[str, Any]) -> None:
    """One file's process."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # what the file prints is no part of the report
        os.dup2(nowhere, descriptor)
    answer.send(read(file, folder, given))
    answer.close()
    os._exit(0)  # nothing that the file has left to do at the end


def read(file: str, folder: str, given: dict[str, Any]) -> dict[str, Any]:
    """What is in a file, and what is wrong with it."""
    places = Places(folder, file)
    refuse_lookups(places)
    places.watch(dag_class())
    started = time.monotonic()
    try:
        bag = dag_bag(file, folder)
    except BaseException:  # on Airflow 2, sys.exit() ends the process
        bag, errors = None, [traceback.format_exc()]
    else:
        errors = list(bag.import_errors.values())
    seconds = round(time.monotonic() - started, 2)
    dags, problems = {}, []
    for dag in bag.dags.values() if bag else ():
        try:
            dags[dag.dag_id] = {"line": places.of_dag(dag.dag_id)[1], **graph(dag)}
        except Exception:
            errors.append(traceback.format_exc())
            continue
        problems += missing(dag, places, given)
    for text in errors:
        problems += import_problems(text, places)
    problems += [
        problem(place, f"the DAG {dag_id!r} is made twice in this file: give one another dag_id")
        for dag_id, place in repeated(places.dags, dags)
    ]
    problems += [lookup(found, ended=ended) for found, ended in places.lookups.items()]
    return {"file": places.relative(file), "seconds": seconds, "dags": dags, "problems": problems}


def dag_class() -> Any:
    """The class of DAGs in files."""
    try:
        from airflow.sdk import DAG
    except ImportError:  # Airflow 2
        from airflow.models.dag import DAG
    return DAG


def task_decorator() -> Any:
    """The decorator that makes a task of a function."""
    try:
        from airflow.sdk import task
    except ImportError:  # Airflow 2
        from airflow.decorators import task
    return task


def dag_bag(file: str | None, folder: str) -> Any:
    """The DagBag of a file; without one, only what it needs is imported."""
    try:
        from airflow.dag_processing.processor import BundleDagBag
    except ImportError:  # Airflow 2
        from airflow.models.dagbag import DagBag

        return DagBag(file, include_examples=False) if file else None
    return BundleDagBag(file, bundle_path=Path(folder), bundle_name="dags-folder") if file else None


def graph(dag: Any) -> dict[str, Any]:
    """Schedule and tasks of a DAG, each with those after it, and whether it is paused when it is
    new. Raises what Airflow does for a DAG that it cannot write to its database.
    """
    from airflow.configuration import conf

    try:
        from airflow.serialization.serialized_objects import DagSerialization as Serialization
    except ImportError:  # Airflow 2
        from airflow.serialization.serialized_objects import SerializedDAG as Serialization

    serialized = Serialization.to_dict(dag)["dag"]
    paused = dag.is_paused_upon_creation
    if paused is None:
        paused = conf.getboolean("core", "dags_are_paused_at_creation")
    return {
        "paused": paused,
        "schedule": schedule(serialized.get("timetable") or serialized.get("schedule_interval")),
        "tasks": {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks},
    }


def schedule(timetable: Any) -> str:
    """A serialized timetable in words, such as its cron expression; "" for none."""
    if not isinstance(timetable, dict):
        return timetable or ""
    details = timetable.get("__var")
    kind = str(getattr(timetable["__type"], "value", timetable["__type"])).rpartition(".")[2]
    if kind == "NullTimetable":
        return ""
    if isinstance(details, dict):
        return details.get("expression") or f"{kind} {json.dumps(details, sort_keys=True)}"
    return f"{kind} {details}"


if __name__ == "__main__":
    main()
