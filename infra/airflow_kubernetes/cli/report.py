"""`make preview BASE=…`: the report of what this checkout changes in every environment."""

import dataclasses
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..errors import CommandError
from ..images.specs import ROOT
from ..report import collect, markdown
from ..report.model import Live, Report
from ..report.run import report as compare
from . import drift


def report(
    base: str, only: Sequence[str], folder: str, *, live: bool = False, root: Path = ROOT
) -> None:
    """Print the report against `base`; into `folder`, if one is named, also files of it.

    If `live`, also how the real state of each environment is. Raises CheckoutError,
    and CommandError if something in it must not be merged.
    """
    today = datetime.now(UTC).date()
    found = compare(root, base, only, today, _real_state if live else None)
    short, complete = markdown.short(found)
    print(short, end="")
    if folder:
        write(found, Path(folder), short, None if complete else markdown.full(found))
    if found.problems:
        raise CommandError("; ".join(found.problems))


def _real_state(environment: str) -> Live:
    return collect.real_state(drift.live(environment, ""))


def write(found: Report, folder: Path, short: str, full: str | None) -> None:
    """report.md and report.json (the same facts), and full.md where the first leaves out some."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(short, encoding="utf-8")
    facts = json.dumps(dataclasses.asdict(found), indent=1, ensure_ascii=True)
    (folder / "report.json").write_text(facts + "\n", encoding="utf-8")
    (folder / "full.md").unlink(missing_ok=True)  # of an earlier report
    if full is not None:
        (folder / "full.md").write_text(full, encoding="utf-8")
