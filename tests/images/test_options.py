"""The options of each release, as `make lock` reads them from the locked packages."""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from airflow_kubernetes.airflow.options import LOCKS
from airflow_kubernetes.airflow.releases import RELEASES
from airflow_kubernetes.paths import ROOT


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module images/lock_options.py."""
    monkeypatch.syspath_prepend(ROOT / "images")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return importlib.import_module("lock_options")


@pytest.mark.parametrize("version", RELEASES)
def test_make_lock_changes_no_options(written: Any, version: str) -> None:
    lock = (LOCKS / f"{version}-py{RELEASES[version].pythons[-1]}.txt").read_text()
    assert written.options(lock) == (LOCKS / f"{version}-options.json").read_text()


def test_an_option_is_followed_through_all_its_moves(written: Any) -> None:
    known = {("api", "fallback_page_limit")}
    moves = [
        (("webserver", "page_size"), ("api", "page_size")),
        (("api", "page_size"), ("api", "fallback_page_limit")),
        (("core", "gone"), ""),
        (("core", "replaced"), "by a connection"),
    ]
    assert written.places(known, moves) == {
        ("api", "page_size"): "api.fallback_page_limit",
        ("core", "gone"): "",
        ("core", "replaced"): "by a connection",
        ("webserver", "page_size"): "api.fallback_page_limit",
    }
