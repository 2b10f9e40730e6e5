"""The two sides of a report: the tree of a commit, and the checkout with its uncommitted files."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..kubernetes.manifest import Manifest
from ..paths import ROOT
from ..settings.load import environments
from .model import Sides

INPUTS = ("infra", "values", "images", "dags", ":(glob)*.yaml")
"""What rendering reads. A new file elsewhere changes nothing, and may be the report itself."""

WORKER = "infra/airflow_kubernetes/report/render_worker.py"
TIME_LIMIT = 300.0
"""Seconds after which a program that does not end is killed."""

ERROR_LINES = 20
"""How many lines of a crash are shown, the last ones."""


class CheckoutError(UserError):
    """Git cannot say what the report compares with; the message says why and what to do."""


@dataclass(frozen=True)
class Rendered:
    """An environment's objects and warnings; or the error because of which there are none."""

    objects: Sequence[Manifest] = ()
    warnings: Sequence[str] = ()
    error: str | None = None


def sides(root: Path, base: str) -> Sides:
    """What a report against BASE compares. Raises CheckoutError."""
    no_commit = "this is no git checkout with a commit"
    head = _git(root, "rev-parse", "--verify", "HEAD", error=no_commit)
    deepen = (
        "This is a shallow clone: get more of the history (git fetch --unshallow; in a workflow, "
        "a greater fetch-depth of actions/checkout)"
        if _git(root, "rev-parse", "--is-shallow-repository") == "true"
        else ""
    )
    fetch = f"git fetch {' '.join(base.split('/', 1))}" if "/" in base else "git fetch --all"
    known = _git(
        root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}",
        error=f"BASE={base}: git knows no such commit, branch or tag. "
        f"{deepen or f'Get it first ({fetch}), or correct the name'}",
    )  # fmt: skip
    commit = _git(
        root, "merge-base", known, "HEAD",
        error=f"BASE={base}: it shares no commit with this checkout. "
        f"{deepen or 'Name the branch that this one was made from'}",
    )  # fmt: skip
    behind = int(_git(root, "rev-list", "--count", f"{commit}..{known}"))
    return Sides(base, commit, behind, head, tuple(_uncommitted(root)))


def is_unchanged(root: Path, commit: str) -> bool:
    """Whether nothing that rendering reads differs between the commit and the checkout."""
    changed = _git(root, "diff", "--name-only", commit, "--", *INPUTS)
    return not (changed or _uncommitted(root, "--ignored"))


def _uncommitted(root: Path, *options: str) -> list[str]:
    """Files that differ from the checkout's commit, or are not in it; no bytecode."""
    options = (*options, "--porcelain", "-z", "--untracked-files=all", "--no-renames")
    lines = _git(root, "status", *options, "--", *INPUTS).split("\0")
    return sorted(line[3:] for line in lines if line and "__pycache__/" not in line)


def extract(root: Path, commit: str, folder: Path) -> None:
    """Write a commit's tree into an empty folder."""
    archive = subprocess.run(
        ["git", "-C", str(root), "archive", "--format=tar", commit], capture_output=True, check=True
    ).stdout
    subprocess.run(["tar", "-xf", "-", "-C", str(folder)], input=archive, check=True)


def render(tree: Path, names: Iterable[str]) -> dict[str, Rendered]:
    """Those of the environments that a tree has, rendered by the tree's own code."""
    present = sorted({*names} & {*environments(tree / "values")})
    if not (tree / WORKER).exists():
        error = f"there is no {WORKER}, by which a report renders a commit: take a later BASE"
        return dict.fromkeys(present, Rendered(error=error))
    module = ".".join(Path(WORKER).relative_to("infra").with_suffix("").parts)
    # An empty cache: a report does not depend on what was built on this machine.
    with tempfile.TemporaryDirectory(prefix="airflow-kubernetes-") as cache:
        try:
            # One process without children, so that nothing outlives the time limit.
            done = _run(
                [sys.executable, "-P", "-m", module, *present],
                cwd=tree,
                env={**os.environ, "PYTHONPATH": str(tree / "infra"), "XDG_CACHE_HOME": cache},
                stdin=subprocess.DEVNULL,
                timeout=TIME_LIMIT,
            )
        except subprocess.TimeoutExpired:
            error = f"it did not end within {TIME_LIMIT:g} s"
            return dict.fromkeys(present, Rendered(error=error))
    printed, error = done.stdout, done.stderr
    for folder in (tree, sys.prefix, sys.base_prefix, ROOT):  # the same on every machine
        printed, error = (text.replace(f"{folder}{os.sep}", "") for text in (printed, error))
    try:
        return {name: Rendered(**result) for name, result in json.loads(printed).items()}
    except ValueError:
        last = "\n".join(error.strip().splitlines()[-ERROR_LINES:])
        return dict.fromkeys(present, Rendered(error=last or "it ended without a message"))


def _git(root: Path, *arguments: str, error: str = "git failed") -> str:
    """Standard output. Raises CheckoutError with `error`, followed by git's own words if any."""
    try:
        done = _run(["git", "-C", str(root), *arguments])
    except FileNotFoundError:
        raise CheckoutError("git is not on PATH; the report compares with a commit") from None
    if done.returncode:
        raise CheckoutError(": ".join(filter(None, (error, done.stderr.strip()))))
    return done.stdout.strip("\n")


def _run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    options |= {"encoding": "utf-8", "errors": "backslashreplace"}
    return subprocess.run(command, capture_output=True, check=False, **options)
