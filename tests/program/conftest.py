"""The command line in a process of its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def bundle(
    command: str, environment: str, overrides: str = "", root: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """The command behind `make command ENV=environment SET=overrides`, in a bare environment."""
    return subprocess.run(
        [sys.executable, "-m", "airflow_kubernetes", command, environment],
        cwd=root,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": "/nonexistent",
            "PYTHONPATH": "infra",
            "SET": overrides,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def render(environment: str, overrides: str = "", root: Path = ROOT) -> str:
    """Standard output of `make render`."""
    done = bundle("render", environment, overrides, root)
    assert done.returncode == 0, done.stderr
    return done.stdout
