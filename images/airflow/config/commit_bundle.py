"""A Git repository as a bundle of Airflow 3."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from airflow.providers.git.bundles.git import GitDagBundle
from git import Repo

COMMIT = re.compile("[0-9a-f]{40}")

FIRST_SOURCE = "dags-folder"
"""The one whose variables have no suffix (infra/airflow_kubernetes/airflow/repositories.py)."""

LOGIN = ("GIT_ASKPASS", "GIT_SERVER", "GIT_USERNAME", "GIT_PASSWORD")


class CommitBundle(GitDagBundle):
    """The repository at the commit of a run; at its newest for a run whose DAG was in an image.

    Git gets the login of this repository alone: the variables of LOGIN with its name.

    One clone of a commit serves all tasks of a worker. Airflow's own lock lets one process at a
    time make it, but a process that is killed leaves half of it, which the others would take for
    a clone (apache/airflow#61716). So it is made aside, and gets its name when it is complete.
    """

    def __init__(self, *, version: str | None = None, **kwargs: Any) -> None:
        known = version is not None and COMMIT.fullmatch(version)
        super().__init__(version=version if known else None, **kwargs)

    def refresh(self) -> None:
        """Fetch the newest commit."""
        with self._login():
            super().refresh()

    def _initialize(self) -> None:
        with self.lock(), self._login():
            if not self.repo_path.exists():
                with self._aside("repo_path"):
                    super()._initialize()
                if self.version is None:
                    self.repo = Repo(self.repo_path)
            elif self.version is None:
                _unlock(self.repo_path / ".git")
                super()._initialize()

    def _clone_bare_repo_if_required(self) -> None:
        if self.bare_repo_path.exists():
            _unlock(self.bare_repo_path)
            super()._clone_bare_repo_if_required()
        else:
            with self._aside("bare_repo_path"):
                super()._clone_bare_repo_if_required()
            self.bare_repo = Repo(self.bare_repo_path)

    @contextmanager
    def _aside(self, attribute: str) -> Iterator[None]:
        """Make what is at the path of this attribute at another, until it is complete."""
        path: Path = getattr(self, attribute)
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(".*"):  # of a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as folder:
            aside = Path(folder, path.name)
            setattr(self, attribute, aside)
            try:
                yield
            finally:
                setattr(self, attribute, path)
            aside.rename(path)

    @contextmanager
    def _login(self) -> Iterator[None]:
        before = {name: os.environ.get(name) for name in LOGIN}
        if self.name != FIRST_SOURCE:
            suffix = "_" + self.name.upper().replace("-", "_")
            _set({name: os.environ.get(name + suffix) for name in LOGIN})
        try:
            yield
        finally:
            _set(before)


def _unlock(folder: Path) -> None:
    """Remove the locks of a git that was killed: no other is at work under Airflow's."""
    for lock in folder.rglob("*.lock"):
        lock.unlink(missing_ok=True)


def _set(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
