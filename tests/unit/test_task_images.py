"""The helper by which DAGs name images."""

import json
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest
from airflow_kubernetes.paths import ROOT

KNOWN = {"pandas-1": "r/task-pandas-1:a@sha256:1", "report": "r/task-report:b@sha256:2"}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that an environment with two task images mounts."""
    place = tmp_path / "images.json"
    place.write_text(json.dumps(KNOWN))
    monkeypatch.setenv("TASK_IMAGES_FILE", str(place))
    return place


@pytest.fixture
def task_image(file: Path) -> Callable[[str], str]:
    """The helper as a DAG imports it."""
    assert file.exists()
    module = runpy.run_path(str(ROOT / "images" / "airflow" / "config" / "task_images.py"))
    helper: Callable[[str], str] = module["task_image"]
    return helper


def test_a_name_gives_the_reference_by_digest(task_image: Callable[[str], str]) -> None:
    assert task_image("pandas-1") == KNOWN["pandas-1"]


def test_an_unknown_name_fails_and_lists_the_known_ones(task_image: Callable[[str], str]) -> None:
    with pytest.raises(LookupError, match=r"did you mean 'pandas-1'\? known: pandas-1, report"):
        task_image("pandas1")


def test_outside_a_deployment_it_says_what_is_missing(
    task_image: Callable[[str], str], file: Path
) -> None:
    file.unlink()
    with pytest.raises(LookupError, match=r"images\.json; deployments mount it"):
        task_image("pandas-1")
