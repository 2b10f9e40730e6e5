"""The checkout, and the folder outside it for files that can be made again."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The checkout."""


def cache() -> Path:
    """The cache folder, following the XDG Base Directory Specification."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "airflow-kubernetes"
