"""The command line in a process of its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(
    command: str, environment: str, overrides: str | None = "", root: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """The command behind `make command ENV=environment SET=overrides`, in a bare environment.

    `overrides` is None for a command that takes none.
    """
    options = [] if overrides is None else [f"--set={overrides}"]
    return subprocess.run(
        [sys.executable, "-m", "airflow_kubernetes", command, environment, *options],
        cwd=root,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONPATH": "infra"},
        capture_output=True,
        text=True,
        check=False,
    )


def render(environment: str, overrides: str = "", root: Path = ROOT) -> str:
    """Standard output of `make render`."""
    done = run("render", environment, overrides, root)
    assert done.returncode == 0, done.stderr
    return done.stdout
