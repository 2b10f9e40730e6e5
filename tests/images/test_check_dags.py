"""`make check-dags` and `make test-dag` for real: a folder with a file for each kind of problem,
read in the images of both lines by one build each.
"""

import re
import shutil
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS

from tests.cluster.conftest import ROOT, use_sandbox

LINES = (CURRENT, pytest.param(PREVIOUS, marks=pytest.mark.long))
COPIED = ("Makefile", "images", "infra", "requirements.txt", "sandbox", "values")

HEAD = """\
from datetime import UTC, datetime
try:
    from airflow.sdk import DAG, BaseHook, Variable, dag, task
    from airflow.providers.standard.operators.empty import EmptyOperator
except ImportError:
    from airflow import DAG
    from airflow.decorators import dag, task
    from airflow.hooks.base import BaseHook
    from airflow.models import Variable
    from airflow.operators.empty import EmptyOperator
START = datetime(2024, 1, 1, tzinfo=UTC)
"""
"""Ends with line 11. No file of Airflow 2 can do without a start date."""


def dag(name: str, *lines: str) -> str:
    """A DAG in line 12 and these lines of it, from 13 on."""
    return HEAD + f'with DAG("{name}", start_date=START):\n' + "".join(f"    {x}\n" for x in lines)


def before(line: str, name: str) -> str:
    """That line as line 12, and a DAG."""
    return HEAD + line + "\n" + dag(name, 'EmptyOperator(task_id="a")').removeprefix(HEAD)


FILES = {
    "fine.py": dag("fine", 'EmptyOperator(task_id="a") >> EmptyOperator(task_id="b")'),
    "prints.py": before('print("x" * 300_000)', "prints"),
    "package.py": before("import nonesuch", "package"),
    "syntax.py": "# a dag of airflow\ndef f(:\n",
    "name.py": dag("name", "EmptyOperator(task_id=undefined)"),
    "common/broken.py": "def value():\n    return 1 / 0\n",
    "helper.py": before("from common.broken import value; value()", "helper"),
    "cycle.py": dag(
        "cycle",
        'a = EmptyOperator(task_id="one")',
        'b = EmptyOperator(task_id="two")',
        "a >> b >> a",
    ),
    "first.py": dag("shared_id", 'EmptyOperator(task_id="a")'),
    "second.py": dag("shared_id", 'EmptyOperator(task_id="a")'),
    "twice.py": before('same = DAG("twice", start_date=START)', "twice"),
    "queue.py": dag(
        "queue",
        'EmptyOperator(task_id="served", queue="kubernetes")',
        'EmptyOperator(task_id="waits", queue="heavy")',
        "@task(queue='mapped')",
        "def many(x): ...",
        "many.expand(x=[1, 2])",
    ),
    "pool.py": dag("pool", 'EmptyOperator(task_id="waits", pool="licences")'),
    "image.py": before("from task_images import task_image; task_image('pandas-3')", "image"),
    "policy.py": before(
        "from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator",
        "policy",
    )
    + '    KubernetesPodOperator(task_id="totals", image="x")\n',
    "variable.py": dag("variable", 'EmptyOperator(task_id="a", doc=Variable.get("region"))'),
    "old_variable.py": before(
        "from airflow.models import Variable as Old; Old.get('colour', 'red')", "old_variable"
    ),
    "connection.py": before("BaseHook.get_connection('warehouse')", "connection"),
    "network.py": before(
        "import urllib.request; urllib.request.urlopen('http://10.0.0.1/')", "network"
    ),
    "slow.py": before("import time; time.sleep(1.5)", "slow"),
    "hangs.py": before("import time; time.sleep(60)", "hangs"),
    "exits.py": before("raise SystemExit(3)", "exits"),
    "dies.py": before("import os; os.kill(os.getpid(), 9)", "dies"),
    "session.py": before(
        "from airflow.utils.session import create_session; from airflow.models import DagRun", "x"
    ).replace("with DAG", "with create_session() as s: s.query(DagRun).count()\nwith DAG"),
    "deprecated.py": before("from airflow.models import Variable as Old; Old", "deprecated"),
    "ignored.py": "airflow dag 1/0\n",
    "drafts/any_v1.py": "airflow dag 1/0\n",
}

IGNORED = {
    "3.3.2": "ignored.py\ndrafts/*_v[0-9].py\n",
    "2.11.2": "ignored.py\ndrafts/.*_v[0-9]\\.py\n",
}
"""Globs, and regular expressions; the second one means nothing as the other."""

ERRORS = (
    (r"package\.py:12", r"No module named 'nonesuch'; add its package to .*requirements\.in"),
    (r"syntax\.py:2", "SyntaxError: invalid syntax"),
    (r"name\.py:13", "NameError: name 'undefined' is not defined"),
    (r"common/broken\.py:2", "ZeroDivisionError: division by zero"),
    (r"cycle\.py:1[34]", "Cycle detected in D[aA][gG]: cycle"),
    (r"second\.py:12", r"'shared_id' is in dags/first\.py too"),
    (r"twice\.py:13", "'twice' is made twice"),
    (r"queue\.py:14", "no workers serve the queue 'heavy'"),
    (r"queue\.py:17", "no workers serve the queue 'mapped'"),
    (r"image\.py:12", r"no task image 'pandas-3'; did you mean 'pandas-[12]'\?"),
    (r"policy\.py:15", "task 'totals': namespace not given"),
    (r"network\.py:12", "this check has no network"),
    (r"hangs\.py:12", r"takes longer than core\.dagbag_import_timeout"),
    (r"exits\.py:12", "SystemExit: 3"),
    (r"dies\.py", "ended with signal 9"),
)
"""One line each: where and what, on both lines."""

WARNINGS = (
    (r"pool\.py:13", "the pool 'licences'"),
    (r"variable\.py:13", "reads the variable 'region'.* was not checked"),
    (r"old_variable\.py:12", "reads the variable 'colour'"),
    (r"connection\.py:12", "reads the connection 'warehouse'.* was not checked"),
    (r"slow\.py", r"takes \d\.\d s each time"),
    (r"deprecated\.py:12", r"airflow\.sdk.* \(AIR311\)"),
)


@pytest.fixture(scope="module")
def sandbox() -> None:
    use_sandbox()


def checkout(folder: Path, dags: dict[str, str]) -> Path:
    """A checkout with these DAGs."""
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    for name, text in dags.items():
        file = folder / "dags" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / ".venv").symlink_to((ROOT / ".venv").resolve())
    return folder


def make(
    checkout: Path, goal: str, overrides: str, *words: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["make", "--no-print-directory", goal, f"SET={overrides}", *words],
        cwd=checkout,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    print(done.stdout, done.stderr, sep="\n")
    return done


@pytest.mark.parametrize("version", LINES)
def test_each_problem_is_a_line_with_its_place(sandbox: None, tmp_path: Path, version: str) -> None:
    overrides = (
        f"airflow.version={version} airflow.executor=CeleryExecutor "
        "airflow.configuration.core.dagbag_import_timeout=10"
    )
    files = FILES | {".airflowignore": IGNORED[version]}
    done = make(checkout(tmp_path, files), "check-dags", overrides)
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    (head,) = (at for at, line in enumerate(lines) if "problems in DAGs; nothing was" in line)
    errors = [line for line in lines[head + 1 :] if line.startswith("  dags/")]
    warnings = [line for line in lines[:head] if line.startswith("warning: dags/")]
    more_errors, more_warnings = [], []
    if version == PREVIOUS:
        more_warnings.append((r"session\.py:13", "asks a database"))
    else:
        more_errors.append((r"session\.py:13", "Direct database access"))
    for expected, found, prefix in (
        ((*ERRORS, *more_errors), errors, "  dags/"),
        ((*WARNINGS, *more_warnings), warnings, "warning: dags/"),
    ):
        for place, message in expected:
            matching = [line for line in found if re.match(f"{prefix}{place}: .*{message}", line)]
            assert len(matching) == 1, (place, message)
    assert len(errors) == len(ERRORS) + len(more_errors)


@pytest.mark.parametrize("version", LINES)
def test_one_dag_runs_without_a_cluster(sandbox: None, tmp_path: Path, version: str) -> None:
    # What was found in these files is kept on the machine, for anyone who has the same ones.
    fails = dag(
        "fails", f"# {uuid4()}", "@task", "def wrong(): raise ValueError('on purpose')", "wrong()"
    )
    folder, overrides = checkout(tmp_path, {"fails.py": fails}), f"airflow.version={version}"
    shutil.copy(ROOT / "dags" / "smoke.py", folder / "dags")
    done = make(folder, "test-dag", overrides, "DAG=smoke")
    assert done.returncode == 0
    assert re.search(r"^smoke_last_run = manual__", done.stdout, re.MULTILINE)
    done = make(folder, "test-dag", overrides, "DAG=fails")
    assert done.returncode == 2
    assert "ValueError: on purpose" in done.stdout
    assert "error: DAG fails failed, for the reason above" in done.stderr
    done = make(folder, "test-dag", overrides, "DAG=nonesuch")
    assert done.returncode == 2
    assert "'nonesuch' could not be found" in done.stdout
    assert "Traceback" not in done.stdout
    # The project's own DAGs and these have no problem, and are known to have none.
    for took in (r"\d+ s and \d+ MB", "known"):
        done = make(folder, "check-dags", overrides)
        assert done.returncode == 0
        assert re.search(rf"^dags/: 2 files, 2 DAGs, no error \({took}\)", done.stdout)


def test_a_report_says_how_graphs_change(sandbox: None, tmp_path: Path) -> None:
    two = 'EmptyOperator(task_id="a") >> EmptyOperator(task_id="b")'
    one = 'EmptyOperator(task_id="a") >> EmptyOperator(task_id="c")'
    dags = {f"{name}.py": dag(name, two) for name in ("stays", "changes", "goes")}
    folder = checkout(tmp_path, dags)
    shutil.copy(ROOT / "images.lock.yaml", folder)
    for path in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(path, folder)
    shutil.copy(ROOT / "policies.yaml", folder)
    (folder / ".gitignore").write_text(".venv\n__pycache__/\n.build/\n")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "base")):
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *identity, *words], cwd=folder, check=True)
    (folder / "dags" / "goes.py").unlink()
    (folder / "dags" / "comes.py").write_text(dag("comes", two))
    (folder / "dags" / "changes.py").write_text(dag("changes", one))
    (folder / "dags" / "wrong.py").write_text(FILES["name.py"])
    done = make(folder, "preview", "", "BASE=HEAD", "ENV=sandbox")
    assert "DAGs: errors: 1, see below" in done.stdout
    assert "`dags/wrong.py:13: NameError: name 'undefined' is not defined`" in done.stdout
    section = done.stdout.partition("### DAGs\n")[2].partition("\n\n")[0]
    assert section.splitlines() == [
        "- `comes` **appears**: `in dags/comes.py`, `2 tasks`, `paused, until it is switched on`",
        "- `changes` **changes**: `added: c`, `removed: b`, `other tasks after: a`, "
        "`code in dags/changes.py`",
        "- `goes` **disappears**: `was in dags/goes.py`",
    ]
