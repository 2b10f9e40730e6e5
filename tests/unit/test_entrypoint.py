"""The Airflow image's entrypoint: the command that each word starts, on either line."""

import subprocess
from pathlib import Path

import pytest
from airflow_kubernetes.paths import ROOT

ENTRYPOINT = ROOT / "images" / "airflow" / "entrypoint.sh"
COMMANDS = "lib/python3.11/site-packages/airflow/cli/commands"
SHOW = """#!/bin/sh
shift 2  # --single-child --
echo "$@"
"""


@pytest.fixture(params=["webserver", "api_server"])
def web(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A virtual environment whose Airflow has one of the web commands, in tmp_path."""
    for name in ("airflow", "dumb-init"):
        file = tmp_path / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(SHOW)
        file.chmod(0o755)
    (tmp_path / COMMANDS).mkdir(parents=True)
    (tmp_path / COMMANDS / f"{request.param}_command.py").touch()
    return str(request.param).replace("_", "-")


def started(folder: Path, *arguments: str, **env: str) -> str:
    done = subprocess.run(
        ["sh", ENTRYPOINT, *arguments],
        env={"PATH": f"{folder}/bin:/usr/bin:/bin", **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_webserver_starts_the_web_component_of_either_line(web: str, tmp_path: Path) -> None:
    assert started(tmp_path, "webserver", "--port", "1") == f"airflow {web} --port 1"


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("scheduler --num-runs 1", "airflow scheduler --num-runs 1"),
        ("worker", "airflow celery worker"),
        ("airflow dags list", "airflow dags list"),
        ("python x.py", "python x.py"),
    ],
)
def test_other_words(words: str, command: str, web: str, tmp_path: Path) -> None:
    assert started(tmp_path, *words.split()) == command


def test_nothing_in_a_task_pod_heeds_sigterm(web: str, tmp_path: Path) -> None:
    # dumb-init's --rewrite 15:0 passes SIGTERM (15) on to nobody; SHOW drops two words.
    pod = started(tmp_path, "python", "-m", "task", AIRFLOW_IS_K8S_EXECUTOR_POD="True")
    assert pod == "15:0 -- sh /opt/checks/measured.sh python -m task"
    assert started(tmp_path, "python", "-m", "task") == "python -m task"
