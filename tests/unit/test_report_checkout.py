"""How a report renders the tree of a commit."""

import json
import os
import time
from pathlib import Path

import pytest
from airflow_kubernetes.report import checkout
from airflow_kubernetes.report.checkout import Rendered, render


def a_tree(folder: Path, worker: str) -> Path:
    """A tree with the environments dev and prod, and a worker that renders them."""
    for name in ("dev", "prod"):
        file = folder / "values" / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text("")
    package = folder / "infra" / "airflow_kubernetes" / "report"
    package.mkdir(parents=True)
    for file in (package.parent / "__init__.py", package / "__init__.py"):
        file.write_text("")
    (package / "render_worker.py").write_text(worker)
    return folder


def test_each_environment_has_objects_or_an_error(tmp_path: Path) -> None:
    results = {"dev": {"objects": [{"kind": "Pod"}], "warnings": ["a"]}, "prod": {"error": "b"}}
    tree = a_tree(tmp_path, f"print({json.dumps(results)!r})")
    assert render(tree, ["dev", "prod", "gone"]) == {
        "dev": Rendered([{"kind": "Pod"}], ["a"]),
        "prod": Rendered(error="b"),
    }


def test_a_crash_is_an_error_of_all_environments(tmp_path: Path) -> None:
    tree = a_tree(tmp_path, "raise RuntimeError('half done')")
    found = render(tree, ["dev", "prod"])
    assert found["dev"] == found["prod"]
    assert "RuntimeError: half done" in str(found["dev"].error)
    assert str(tree) not in str(found["dev"].error)


def test_a_tree_without_the_program_is_an_error(tmp_path: Path) -> None:
    tree = a_tree(tmp_path, "")
    (tree / checkout.WORKER).unlink()
    found = render(tree, ["dev"])["dev"]
    assert "there is no infra/airflow_kubernetes/report/render_worker.py" in str(found.error)


def test_nothing_of_a_program_that_does_not_end_lives_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "TIME_LIMIT", 3)
    worker = f"""\
import os, time
from pathlib import Path
Path({str(tmp_path / "pid")!r}).write_text(str(os.getpid()))
time.sleep(60)
"""
    start = time.monotonic()
    found = render(a_tree(tmp_path, worker), ["dev"])["dev"]
    assert found.error == "it did not end within 3 s"
    assert time.monotonic() - start < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
