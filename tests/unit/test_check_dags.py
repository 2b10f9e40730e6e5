"""What the check of DAGs says of what it reads; the reading itself is in tests/images."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from airflow_kubernetes.airflow import dag_check
from airflow_kubernetes.airflow.next_release import deprecated
from airflow_kubernetes.airflow.releases import RELEASES
from airflow_kubernetes.cli import build
from airflow_kubernetes.cli import check_dags as command
from airflow_kubernetes.cli.target import Target
from airflow_kubernetes.environment import load
from airflow_kubernetes.errors import CommandError
from airflow_kubernetes.images import buildx
from airflow_kubernetes.images.failures import BuildError
from airflow_kubernetes.paths import ROOT

FOLDER = "/usr/local/airflow/dags"


def program() -> ModuleType:
    """images/dags/check/check_dags.py."""
    file = ROOT / "images" / "dags" / "check" / "check_dags.py"
    spec = importlib.util.spec_from_file_location("check_dags_program", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(file.parent))  # as for every program
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(file.parent))
    return module


CHECK = program()


def places() -> Any:
    """Of a file with two DAGs, each with a task."""
    found = CHECK.Places(FOLDER, f"{FOLDER}/x.py")
    found.dags += [("first", ("x.py", 10)), ("second", ("x.py", 20))]
    found.tasks |= {
        ("first", "load"): ("x.py", 11),
        ("second", "totals"): ("x.py", 21),
    }
    return found


def traceback(*frames: tuple[str, int], error: str) -> str:
    lines = [
        f'  File "{file}", line {line}, in f\n    code()\n    ^^^^^^\n' for file, line in frames
    ]
    return f"Traceback (most recent call last):\n{''.join(lines)}{error}\n"


AIRFLOW = ("/opt/venv/lib/airflow/dagbag.py", 300)
HERE, HELPER = (f"{FOLDER}/x.py", 5), (f"{FOLDER}/common/helper.py", 7)
SAYS = (
    (traceback(AIRFLOW, HERE, error="KeyError: 'x'"), ("x.py", 5), "KeyError: 'x'"),
    (
        traceback(AIRFLOW, HERE, HELPER, AIRFLOW, error="a.b.Wrong: two\n  lines"),
        ("common/helper.py", 7),
        "Wrong: two lines",
    ),
    (
        traceback(HERE, error="ImportError: new")
        + "\nDuring handling of the above exception, another exception occurred:\n\n"
        + traceback((f"{FOLDER}/x.py", 8), error="ImportError: old"),
        ("x.py", 8),
        "ImportError: old",
    ),
    (
        f'  File "{FOLDER}/x.py", line 3\n    def f(:\n          ^\nSyntaxError: invalid syntax',
        ("x.py", 3),
        "SyntaxError: invalid syntax",
    ),
    (
        "AirflowDagCycleException: Cycle detected in DAG: second. Faulty task: totals",
        ("x.py", 21),
        "AirflowDagCycleException: Cycle detected in DAG: second. Faulty task: totals; remove one "
        "of the dependencies",
    ),
    (
        "ValueError: second is wrong",
        ("x.py", 20),
        "ValueError: second is wrong",
    ),
    ("ValueError: wrong", ("x.py", 10), "ValueError: wrong"),
)


def test_an_import_error_has_the_line_of_the_dag_folder_that_raised_it() -> None:
    for text, place, message in SAYS:
        (found,) = CHECK.import_problems(text, places())
        assert found == {"file": place[0], "line": place[1], "message": message, "error": True}


def test_remedies() -> None:
    for error, remedy in (
        ("ModuleNotFoundError: No module named 'x'", "images/airflow/requirements.in"),
        ("airflow.exceptions.AirflowTaskTimeout: DagBag import timeout", "dagbag_import_timeout"),
        ("URLError: <urlopen error [Errno -3] Temporary failure in name resolution>", "no network"),
        ("RuntimeError: Direct database access via the ORM is not allowed", "REST API"),
        ("SystemExit: 3", "end the process"),
    ):
        (found,) = CHECK.import_problems(traceback(HERE, error=error), places())
        assert remedy in found["message"], error


def test_a_policy_violation_is_a_line_for_each_reason_at_its_task() -> None:
    text = "AirflowClusterPolicyViolation: task totals:\n  namespace: set it\n  Secret: name yours"
    found = [*CHECK.import_problems(text, places())]
    assert [problem["line"] for problem in found] == [21, 21]
    assert [problem["message"] for problem in found] == [
        "task 'totals': namespace: set it",
        "task 'totals': Secret: name yours",
    ]


def test_what_an_environment_may_have_is_no_error() -> None:
    for what, name in (("variable", "region"), ("connection", "warehouse")):
        found = places()
        found.lookups["x.py", 5, what, name] = False
        error = traceback(HERE, error=f"KeyError: '{name} does not exist'")
        assert not [*CHECK.import_problems(error, found)]
        ((lookup, ended),) = found.lookups.items()
        warning = CHECK.lookup(lookup, ended=ended)
        assert (warning["line"], warning["error"]) == (5, False)
        assert name in warning["message"]
        assert warning["message"].endswith("was not checked")
        # Another error of the same line is one.
        assert [*CHECK.import_problems(traceback(HERE, error="ValueError: no"), found)]


def test_an_id_in_two_files_and_twice_in_one() -> None:
    found: list[dict[str, Any]] = [
        {"file": name, "dags": {"shared": {"line": line}, name: {"line": 1}}, "problems": []}
        for name, line in (("a.py", 3), ("b.py", 8))
    ]
    CHECK.add_duplicates(found)
    assert [len(result["problems"]) for result in found] == [0, 1]
    (problem,) = found[1]["problems"]
    assert (problem["file"], problem["line"]) == ("b.py", 8)
    assert "dags/a.py" in problem["message"]
    made = [("x", ("f.py", 1)), ("y", ("f.py", 2)), ("x", ("f.py", 3)), ("z", ("f.py", 4))]
    made += [("z", ("f.py", 5)), ("y", ("f.py", 2))]
    assert [*CHECK.repeated(made, {"x": {}, "y": {}})] == [("x", ("f.py", 3))]


def task(**fields: Any) -> SimpleNamespace:
    known = {"task_id": "load", "queue": "default", "pool": "default_pool", "executor": None}
    return SimpleNamespace(**(known | fields))


@pytest.mark.parametrize("celery", [True, False])
def test_a_queue_that_nobody_serves_is_an_error_where_a_task_would_wait(celery: bool) -> None:
    given = {"queues": ["default", "kubernetes"], "pools": ["default_pool"], "celery": celery}

    def messages(**fields: Any) -> list[tuple[int, bool, str]]:
        dag = SimpleNamespace(dag_id="first", tasks=[task(**fields)])
        found = CHECK.missing(dag, places(), given)
        return [(item["line"], item["error"], item["message"]) for item in found]

    ((line, error, message),) = messages(queue="heavy")
    assert (line, error) == (11, celery)
    assert "'heavy'" in message
    assert "airflow.celery.workers" in message
    assert not messages(queue="kubernetes")
    assert not messages(queue="heavy", executor="KubernetesExecutor")
    ((_, error, message),) = messages(pool="licences")
    assert not error
    assert "'licences'" in message


def test_schedules_in_words() -> None:
    cron = {"__type": "airflow.timetables.interval.CronDataIntervalTimetable"}
    for timetable, words in (
        (cron | {"__var": {"expression": "0 0 * * *", "timezone": "UTC"}}, "0 0 * * *"),
        ({"__type": "airflow.timetables.simple.NullTimetable", "__var": {}}, ""),
        ({"__type": "timedelta", "__var": 3600.0}, "timedelta 3600.0"),
        ("@daily", "@daily"),
        (None, ""),
    ):
        assert CHECK.schedule(timetable) == words


def report(*problems: dict[str, Any]) -> str:
    file = {"file": "x.py", "seconds": 0.1, "dags": {"x": {"line": 3}}, "problems": [*problems]}
    return json.dumps({"files": [file], "seconds": 3.0, "megabytes": 250})


def test_a_report_has_each_problem_once_with_its_path() -> None:
    wrong = {"file": "x.py", "line": 3, "message": "wrong", "error": True}
    found = dag_check.Report.parse(report(wrong, wrong, wrong | {"error": False, "line": 0}))
    assert [str(problem) for problem in found.errors] == ["dags/x.py:3: wrong"]
    assert [str(problem) for problem in found.warnings] == ["dags/x.py: wrong"]
    assert found.dags == {"x": {"line": 3, "file": "x.py"}}


def test_dags_are_checked_for_the_environment() -> None:
    known = dag_check.environment(load("sandbox"))
    assert known["variables"]["TASKS_NAMESPACE"] == "airflow-tasks"
    assert known["queues"] == ["default", "kubernetes"]
    assert not known["celery"]
    # `airflow dags test` has no executor, and no image to record.
    assert not {"AIRFLOW__CORE__EXECUTOR", "TASK_IMAGES"} & known["run"].keys()
    celery = load("sandbox", "airflow.executor=CeleryExecutor")
    assert dag_check.environment(celery)["celery"]


def test_what_is_checked_is_the_layer_that_is_deployed() -> None:
    files = {file.path: file.content for file in dag_check.spec(load("sandbox")).files}
    assert files["usr/local/airflow/dags/smoke.py"] == (ROOT / "dags" / "smoke.py").read_bytes()
    assert {"Dockerfile", "check/check_dags.py", "check/test_dag.py"} <= files.keys()
    assert {"airflow", "pandas-1"} <= json.loads(files["check/images.json"]).keys()
    tags = {
        dag_check.spec(load("sandbox", overrides)).tag
        for overrides in ("", "namespace=other", "airflow.version=2.11.2")
    }
    assert len(tags) == 3


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Builds give the reports in this list, the first one first."""
    reports: list[str] = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def export(*arguments: Any, fresh: str) -> None:
        (arguments[-1] / "report.json").write_text(reports.pop(0))

    monkeypatch.setattr(buildx, "export", export)
    monkeypatch.setattr(command, "_image", lambda _: "registry/airflow:tag@sha256:1")
    monkeypatch.setattr(build, "deployable", lambda _: OBJECTS)
    return reports


OBJECTS = [{"kind": "Deployment"}]
"""What a build gives."""

SANDBOX = Target("sandbox", "", load("sandbox"))


def test_dags_that_have_passed_are_not_read_again(
    read: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    warning = {"file": "x.py", "line": 3, "message": "slow", "error": False}
    read.append(report(warning))
    assert command.while_building(SANDBOX) == OBJECTS
    assert "warning: dags/x.py:3: slow" in capsys.readouterr().err
    command.before_up(SANDBOX.settings)
    assert command.while_building(SANDBOX) == OBJECTS
    assert not capsys.readouterr().err
    command.check_dags(SANDBOX)
    shown = capsys.readouterr()
    assert shown.out == "dags/: 1 files, 1 DAGs, no error (known)\n"
    assert "dags/x.py:3: slow" in shown.err


def test_an_error_stops_a_deployment_until_it_is_corrected(read: list[str]) -> None:
    error = {"file": "x.py", "line": 3, "message": "wrong", "error": True}
    read += [report(error), report(error), report(error, error | {"line": 4}), report()]
    for deploy in (
        lambda: command.before_up(SANDBOX.settings),
        lambda: command.while_building(SANDBOX),
    ):
        with pytest.raises(CommandError, match=r"^1 problem in DAGs; nothing was deployed:\n"):
            deploy()
    with pytest.raises(CommandError, match=r"^2 problems .*\n  dags/x.py:3: wrong\n  dags/x.py:4:"):
        command.check_dags(SANDBOX)
    assert command.while_building(SANDBOX) == OBJECTS
    assert not read


def test_pulumi_deploys_what_cannot_be_checked(
    read: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_builder(*_: Any) -> str:
        raise BuildError("there is no buildx builder")

    monkeypatch.setattr(command, "_image", no_builder)
    command.before_up(SANDBOX.settings)
    assert "DAGs are not checked: there is no buildx builder" in capsys.readouterr().err
    with pytest.raises(BuildError):
        command.while_building(SANDBOX)


def test_dags_of_another_source() -> None:
    git = "airflow.dags.source=git airflow.dags.git.repository=https://git.example.com/x.git"
    built_elsewhere = "images.build=false"
    for overrides, says in ((git, "source is git"), (built_elsewhere, "builds no images")):
        target = Target("sandbox", overrides, load("sandbox", overrides))
        with pytest.raises(CommandError, match=says):
            command.check_dags(target)
        with pytest.raises(CommandError, match=says):
            command.test_dag(target, "smoke")
        command.before_up(target.settings)  # nothing to check
    with pytest.raises(CommandError, match="DAG="):
        command.test_dag(SANDBOX, "")


@pytest.mark.parametrize("version", RELEASES)
def test_repositories_change_nothing_of_what_is_checked(version: str) -> None:
    alone = load("dev", f"airflow.version={version}")
    repository = "airflow.dags.repositories.sales.repository=https://git.example.com/x.git"
    with_others = load("dev", f"airflow.version={version} {repository}")
    assert dag_check.environment(with_others) == dag_check.environment(alone)


def test_the_next_release_by_ruffs_rules(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "old.py").write_text(
        "from airflow.operators.python import PythonOperator\n"
        "from airflow import DAG\n"
        "with DAG('x', schedule_interval='@daily'):\n"
        "    PythonOperator(task_id='a', python_callable=print)\n"
        "    PythonOperator(task_id='b', python_callable=print)  # noqa: AIR312\n"
    )
    (tmp_path / "dags" / "both.py").write_text(
        "try:\n    from airflow.sdk import Param\n"
        "except ImportError:\n    from airflow.models.param import Param\n"
        "x = Param(1)\n"
    )
    (tmp_path / "dags" / "broken.py").write_text("def f(:\n")
    found = {(problem.file, problem.line): problem.message for problem in deprecated(tmp_path)}
    assert {place for place in found if place[1] != 3} == {("dags/old.py", 4)}
    assert "airflow.providers.standard.operators.python" in found["dags/old.py", 4]
    assert found["dags/old.py", 4].endswith("(AIR312)")
    assert ("dags/old.py", 3) in found


def test_the_projects_own_dags_are_ready_for_the_next_release() -> None:
    assert not deprecated()
