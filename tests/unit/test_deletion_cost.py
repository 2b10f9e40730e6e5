"""Which workers get another cost of their deletion."""

import sys
from types import ModuleType
from typing import Any

import pytest

from .test_executors import IMAGE, program

DELETED = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setitem(sys.modules, "MySQLdb", ModuleType("MySQLdb"))
    monkeypatch.syspath_prepend(IMAGE)
    return program("deletion_cost")


@pytest.mark.parametrize(
    ("cost", "tasks", "expected"),
    [
        (None, {}, []),
        (None, {"w": 2}, [("w", "2")]),
        ("2", {"w": 2}, []),
        ("2", {"w": 3}, [("w", "3")]),
        ("2", {}, [("w", None)]),
        ("2", {"another": 2}, [("w", None)]),
    ],
)
def test_a_worker_costs_as_much_as_it_runs_tasks(
    script: ModuleType, cost: str | None, tasks: dict[str, int], expected: list[Any]
) -> None:
    metadata: dict[str, Any] = {"name": "w"}
    if cost:
        metadata["annotations"] = {script.COST: cost}
    assert [*script.changes([{"metadata": metadata}], tasks)] == expected
    assert [*script.changes([{"metadata": metadata | DELETED}], tasks)] == []
