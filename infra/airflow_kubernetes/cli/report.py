"""`make preview BASE=…`: the report of what this checkout changes in every environment."""

import dataclasses
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..errors import CommandError
from ..report import collect, markdown
from ..report.model import RealState, Report
from ..report.run import report
from . import drift


def print_report(base: str, only: Sequence[str], folder: str, *, live: bool = False) -> None:
    """Print the report against `base`; also write its files into `folder`, if one is named.

    If `live`, the report includes the real state of each environment. Raises CheckoutError, and
    CommandError for a report that says why it must not be merged.
    """
    found = report(base, only, datetime.now(UTC).date(), _real_state if live else None)
    short, complete = markdown.short(found)
    print(short, end="")
    if folder:
        write(found, Path(folder), short, None if complete else markdown.full(found))
    elif not complete:
        print("shortened; REPORT=<folder> writes all of it to full.md there", file=sys.stderr)
    if found.problems:
        raise CommandError("; ".join(found.problems))


def _real_state(environment: str) -> RealState:
    return collect.real_state(drift.live(environment, ""))


def write(found: Report, folder: Path, short: str, full: str | None) -> None:
    """report.md and report.json (the same facts), and full.md where report.md is shortened."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(short, encoding="utf-8")
    facts = json.dumps(dataclasses.asdict(found), indent=1, default=str)
    (folder / "report.json").write_text(facts + "\n", encoding="utf-8")
    (folder / "full.md").unlink(missing_ok=True)  # of an earlier report
    if full is not None:
        (folder / "full.md").write_text(full, encoding="utf-8")
