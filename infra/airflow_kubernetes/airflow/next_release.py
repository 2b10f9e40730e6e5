"""What DAGs use that the next release of Airflow does not have, by ruff's rules (AIR3).

They are of the checkout's Python, not of the image's: they read the files and run nothing.
"""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ..errors import CommandError
from ..paths import ROOT
from ..settings.problems import Problem

RUFF = (
    *(sys.executable, "-m", "ruff", "check", "--isolated", "--preview", "--select=AIR3"),
    *("--target-version=py310", "--output-format=json", "--exit-zero", "--no-cache", "dags"),
)


def deprecated(root: Path = ROOT) -> list[Problem]:
    """What ruff finds in dags/, with what it would do about it. `# noqa` applies.

    Not what a file imports only where the name of the next release is missing (`except
    ImportError`), which is how a DAG runs on both. Raises CommandError.
    """
    done = subprocess.run(RUFF, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandError(f"ruff could not read dags/: {done.stderr.strip()}")
    return [
        Problem(str(file.relative_to(root)), found["location"]["row"], "", _advice(found))
        for found in json.loads(done.stdout)
        if (found["code"] or "").startswith("AIR")  # else it is no Python, which is an import error
        and _name(file := Path(found["filename"]), found) not in _alternatives(file)
    ]


def _advice(found: dict[str, Any]) -> str:
    parts = found["message"], (found["fix"] or {}).get("message")
    return "; ".join(part.rstrip(".") for part in parts if part) + f" ({found['code']})"


def _name(file: Path, found: dict[str, Any]) -> str:
    """The first name of the code that a finding is about."""
    line: str = file.read_text(encoding="utf-8").splitlines()[found["location"]["row"] - 1]
    column: int = found["location"]["column"]
    return line[column - 1 :].partition("(")[0].partition(".")[0].strip()


def _alternatives(file: Path) -> set[str]:
    """The names that a file imports where another import has failed."""
    handlers = (
        node
        for node in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(node, ast.ExceptHandler)
        and isinstance(node.type, ast.Name)
        and node.type.id in ("ImportError", "ModuleNotFoundError")
    )
    return {
        (alias.asname or alias.name).partition(".")[0]
        for handler in handlers
        for node in ast.walk(handler)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
