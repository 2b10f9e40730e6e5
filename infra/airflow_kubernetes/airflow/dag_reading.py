"""Reads DAGs by a build, and remembers those without an error, so that they are read once."""

import tempfile
import time
from pathlib import Path

from ..images import buildx
from ..images.specs import ImageSpec
from ..paths import cache
from ..settings.schema import Settings
from .dag_check import READ, REPORT, Report

KEPT_DAYS = 30
"""How long a report without errors counts."""


def known(spec: ImageSpec) -> Report | None:
    """The report of DAGs that have been read already; None if they have not, or had errors."""
    try:
        return Report.parse(_file(spec).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError):
        return None


def read(settings: Settings, spec: ImageSpec, image: str) -> Report:
    """A fresh report; `image` is the reference by digest of Airflow's. Raises BuildError."""
    with tempfile.TemporaryDirectory() as folder:
        # Not of the builder's cache: a file may have taken too long because the machine was busy.
        buildx.export(settings, spec, image, REPORT, Path(folder), fresh=READ)
        text = (Path(folder) / "report.json").read_text(encoding="utf-8")
    report = Report.parse(text)
    if not report.errors:
        _keep(spec, text)
    return report


def _keep(spec: ImageSpec, text: str) -> None:
    file = _file(spec)
    file.parent.mkdir(parents=True, exist_ok=True)
    for old in file.parent.iterdir():
        if old.stat().st_mtime < time.time() - KEPT_DAYS * 86400:
            old.unlink(missing_ok=True)
    file.write_text(text, encoding="utf-8")


def _file(spec: ImageSpec) -> Path:
    return cache() / "checked-dags" / f"{spec.tag}.json"
