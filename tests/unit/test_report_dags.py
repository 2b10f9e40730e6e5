"""What a report says about DAGs; that both sides are read is in tests/images/test_check_dags.py."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from airflow_kubernetes.airflow import dag_check
from airflow_kubernetes.images import buildx
from airflow_kubernetes.paths import ROOT
from airflow_kubernetes.report import dags, markdown
from airflow_kubernetes.report.model import DagChange, Dags
from airflow_kubernetes.settings.problems import Problem

from .report_examples import a_report


def a_dag(file: str = "x.py", schedule: str = "@daily", **tasks: list[str]) -> dict[str, Any]:
    return {"file": file, "line": 3, "schedule": schedule, "paused": True, "tasks": tasks}


def read(
    errors: tuple[Problem, ...] = (), warnings: tuple[Problem, ...] = (), **found: dict[str, Any]
) -> dag_check.Report:
    return dag_check.Report(len(found), 1.0, 1, found, errors, warnings)


BASE = a_dag(a=["b"], b=[])
CHANGES = (
    ("nothing", BASE, BASE, ()),
    ("schedule", BASE, a_dag(schedule="", a=["b"], b=[]), ("schedule @daily → none",)),
    ("file", BASE, a_dag("y.py", a=["b"], b=[]), ("file x.py → y.py",)),
    (
        "tasks",
        BASE,
        a_dag(a=["c"], c=["d"], d=[]),
        ("added: c, d", "removed: b", "other tasks after: a"),
    ),
    ("order", BASE, a_dag(a=[], b=["a"]), ("other tasks after: a, b",)),
)


def test_how_a_graph_changed() -> None:
    for name, old, new, details in CHANGES:
        found = dags.compared(read(one=old), read(one=new), ["other.py"])
        expected = (DagChange("changes", "one", details),) if details else ()
        assert found.changes == expected, name
    (code,) = dags.compared(read(one=BASE), read(one=BASE), ["x.py"]).changes
    assert code.details == ("code in dags/x.py",)


def test_what_appears_and_disappears() -> None:
    on = a_dag("on.py", a=[]) | {"paused": False}
    before, after = read(old=BASE), read(new=BASE, on=on)
    found = {change.name: change for change in dags.compared(before, after, []).changes}
    assert found["old"] == DagChange("disappears", "old", ("was in dags/x.py",))
    assert found["new"].outcome == found["on"].outcome == "appears"
    assert found["new"].details == ("in dags/x.py", "2 tasks", "paused, until it is switched on")
    assert found["on"].details == ("in dags/on.py", "1 tasks")
    assert {change.outcome for change in dags.compared(None, after, []).changes} == {"appears"}
    assert {change.outcome for change in dags.compared(before, None, []).changes} == {"disappears"}


def test_errors_and_warnings_that_the_base_does_not_give() -> None:
    def slow(line: int) -> Problem:
        return Problem("dags/x.py", line, "", "slow")

    known, new = slow(1), Problem("dags/y.py", 1, "", "slow")
    before = read(warnings=(known,))
    after = read(errors=(Problem("dags/z.py", 2, "", "wrong"),), warnings=(slow(9), new))
    found = dags.compared(before, after, [])
    assert found.warnings == ("dags/y.py:1: slow",)
    assert found.errors == ("dags/z.py:2: wrong",)


def test_in_markdown() -> None:
    found = Dags(
        changes=(DagChange("changes", "orders", ("added: <b>",)),),
        errors=("dags/z.py:2: wrong",),
        warnings=("dags/y.py:1: slow",),
    )
    report = a_report(dags=found)
    assert "DAGs: errors: 1, see below" in report.problems
    text = markdown.full(report)
    assert "### ⛔ DAGs that cannot be deployed\n- `dags/z.py:2: wrong`\n" in text
    assert "### DAGs\n- `orders` **changes**: `added: <b>`\n" in text
    assert "### New warnings about DAGs\n- `dags/y.py:1: slow`\n" in text
    assert "DAGs were not compared: `why`.\n" in markdown.full(a_report(dags=Dags("why")))
    assert "DAGs" not in markdown.full(a_report())


def test_without_a_builder_a_report_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buildx, "has_builder", lambda _: False)
    shutil.copytree(ROOT / "dags", tmp_path / "dags")
    assert dags.changed(["dev"], tmp_path) == Dags()  # nothing to compare
    (tmp_path / "dags" / "smoke.py").write_text("")
    found = dags.changed(["dev"], tmp_path)
    assert found == Dags("there is no builder airflow here (dev, images.builder)")
    assert dags.changed(["prod"], tmp_path).not_compared
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "neither buildx nor docker" in dags.changed(["dev"], tmp_path).not_compared
