"""A checkout of one's own, in which DAGs and images can be edited."""

import shutil
from pathlib import Path

from .conftest import ROOT

FOLDERS = ("infra", "values", "images", "dags", "sandbox")
FILES = ("Pulumi*.yaml", "images.lock.yaml", "policies.yaml", "Makefile", "requirements.txt")


def checkout(root: Path) -> Path:
    """A copy of this one in `root`, which exists, without what is ignored by Git."""
    for name in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    for pattern in FILES:
        for file in ROOT.glob(pattern):
            shutil.copy(file, root)
    return root
