"""A Git repository as a bundle of Airflow 3."""

from __future__ import annotations

import re
from typing import Any

from airflow.providers.git.bundles.git import GitDagBundle

COMMIT = re.compile("[0-9a-f]{40}")


class CommitBundle(GitDagBundle):
    """The repository at the commit of a run; at its newest for a run whose DAG was in an image."""

    def __init__(self, *, version: str | None = None, **kwargs: Any) -> None:
        known = version is not None and COMMIT.fullmatch(version)
        super().__init__(version=version if known else None, **kwargs)
