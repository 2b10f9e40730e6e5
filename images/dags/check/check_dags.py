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
import re
import resource
import sys
import time
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from functools import wraps
from multiprocessing import connection
from pathlib import Path
from typing import Any

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

Problem = dict[str, Any]

Lookup = tuple[str, int, str, str]
"""File and line, "variable", "connection" or "database", and the name that an error would have."""

HOW = {
    "variable": (
        "reads the variable {0!r}",
        "in a task, or in a template: {{{{ var.value.{0} }}}}",
    ),
    "connection": ("reads the connection {0!r}", "in a task, by its hook"),
    "database": ("asks a database", "in a task"),
}
"""What is wrong with each, and the place for it."""

NOWHERE = "no database while DAGs are checked"


class DatabaseError(Exception):
    """What a query gets here."""


class Places:
    """Where in the DAG folder DAGs, tasks and lookups of a file are written."""

    def __init__(self, folder: str, file: str) -> None:
        self._folder, self._file = folder.rstrip("/") + "/", file
        self.tasks: dict[tuple[str, str], tuple[str, int]] = {}
        self.dags: list[tuple[str, tuple[str, int]]] = []
        self.lookups: dict[Lookup, bool] = {}
        """Whether one ended the import, because what it looks for is not here."""

    def relative(self, path: str) -> str:
        """The path from the DAG folder on."""
        return path.removeprefix(self._folder)

    def here(self, *, of_file: bool) -> tuple[str, int]:
        """File and line that are being run; `of_file`: rather of the file than of its helpers."""
        frame, inner = sys._getframe(1), None
        while frame is not None:
            name = frame.f_code.co_filename
            if name == self._file or (name.startswith(self._folder) and not of_file):
                return self.relative(name), frame.f_lineno
            if name.startswith(self._folder):
                inner = inner or (self.relative(name), frame.f_lineno)
            frame = frame.f_back
        return inner or (self.relative(self._file), 0)

    def look_up(self, what: str, name: str) -> None:
        """Note that DAG code looks up, for example, the "variable" of a name."""
        file, line = self.here(of_file=False)
        if line:
            self.lookups.setdefault((file, line, what, name), False)

    def watch(self, dag_class: Any) -> None:
        """Note DAGs and tasks as they are made."""
        init, add_task = dag_class.__init__, dag_class.add_task

        @wraps(init)
        def noting_init(dag: Any, *args: Any, **kwargs: Any) -> None:
            place = self.here(of_file=True)
            init(dag, *args, **kwargs)
            self.dags.append((dag.dag_id, place))

        @wraps(add_task)
        def noting_add_task(dag: Any, task: Any) -> None:
            add_task(dag, task)
            self.tasks.setdefault((dag.dag_id, task.task_id), self.here(of_file=True))

        dag_class.__init__, dag_class.add_task = noting_init, noting_add_task

    def of_dag(self, dag_id: str) -> tuple[str, int]:
        """The place of a DAG; the last one's of that id."""
        return dict(self.dags).get(dag_id, (self.relative(self._file), 0))

    def named_in(self, text: str) -> tuple[str, int]:
        """The place of the task that the text names, else of the DAG, else the first DAG's."""
        words = {word.strip(".-") for word in re.findall(r"[\w.-]+", text)}
        for (_, task_id), place in self.tasks.items():
            if task_id in words:
                return place
        for dag_id, place in self.dags:
            if dag_id in words:
                return place
        return self.dags[0][1] if self.dags else (self.relative(self._file), 0)


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


def refuse_lookups(places: Places) -> None:
    """Note what DAG code asks the database for, and answer that it is not there."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def refuse(*_: Any) -> None:
        places.look_up("database", NOWHERE)
        raise DatabaseError(NOWHERE)

    event.listen(Engine, "do_connect", refuse)
    try:
        from airflow.sdk.execution_time import task_runner
        from airflow.sdk.execution_time.supervisor import block_orm_access
    except ImportError:  # Airflow 2
        _refuse_on_2(places)
        return
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "client"
    task_runner.SUPERVISOR_COMMS = _Supervisor(places)
    block_orm_access()


class _Supervisor:
    """On Airflow 3: whom DAG code asks, as it has no access to the database."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def send(self, message: Any, **_: Any) -> Any:
        from airflow.sdk.exceptions import ErrorType
        from airflow.sdk.execution_time.comms import ErrorResponse

        kind = type(message).__name__
        if kind == "MaskSecret":
            return None
        if kind == "GetVariable":
            self._places.look_up("variable", message.key)
            return ErrorResponse(error=ErrorType.VARIABLE_NOT_FOUND)
        if kind == "GetConnection":
            self._places.look_up("connection", message.conn_id)
            return ErrorResponse(error=ErrorType.CONNECTION_NOT_FOUND)
        self._places.look_up("database", NOWHERE)
        return ErrorResponse(error=ErrorType.GENERIC_ERROR, detail={"message": NOWHERE})

    async def asend(self, message: Any, **more: Any) -> Any:
        return self.send(message, **more)


def _refuse_on_2(places: Places) -> None:
    from airflow.secrets.metastore import MetastoreBackend

    def get_variable(_: Any, key: str, **__: Any) -> None:
        places.look_up("variable", key)

    def get_connection(_: Any, conn_id: str, **__: Any) -> None:
        places.look_up("connection", conn_id)

    MetastoreBackend.get_variable = get_variable
    MetastoreBackend.get_connection = get_connection


def problem(place: tuple[str, int], message: str, *, error: bool = True) -> Problem:
    """A problem at a place in the DAG folder."""
    return {"file": place[0], "line": place[1], "message": message, "error": error}


if __name__ == "__main__":
    main()
