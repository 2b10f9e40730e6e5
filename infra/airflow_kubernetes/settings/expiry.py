"""`until:` of values/<env>.yaml: the day until which a difference from common.yaml may stand.

    until:
      airflow.stopped: 2026-11-30

Fields that are temporary by their mark need a day, others may have one. That the day is over is
told by `make parity` and the preview and never by a deployment, which may be an urgent one.
"""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from .bounds import at, marked, plain
from .document import Document
from .problems import Path, dotted
from .schema import Settings

KEY = "until"


def without(document: Document) -> Document:
    """The document's settings alone."""
    return replace(document, data={key: one for key, one in document.data.items() if key != KEY})


def days(document: Document) -> dict[str, date]:
    """The last day of each difference that has one, by the dotted path of its field."""
    entries = document.data.get(KEY)
    return {
        path: day
        for path, day in (entries if isinstance(entries, Mapping) else {}).items()
        if type(day) is date  # not a time of a day, which is a date too
    }


def wrong(document: Document, settings: Settings, common: Settings) -> Iterator[tuple[Path, str]]:
    """Path and message of every wrong entry, and of every temporary difference without one."""
    entries: Any = document.data.get(KEY, {})
    if not isinstance(entries, dict):
        yield (KEY,), "takes fields and days, such as airflow.stopped: 2026-11-30"
        entries = {}
    ours, theirs = plain(settings), plain(common)
    known = {dotted(field.path): field for field in marked(ours)}
    dated = days(document)
    for name, day in entries.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; write its whole path"
            yield (KEY, name), f"no field that environments may set{hint}"
        elif name not in dated:
            yield (KEY, name), f"takes a day, such as 2026-11-30, without quotes; not {day!r}"
    for name, field in known.items():
        differs = at(document.data, field.path) not in (None, at(theirs, field.path))
        if field.mark.temporary and differs and name not in entries:
            yield (
                field.path,
                f"is for some time only ({field.mark.why}); say until which day: "
                f"{KEY}: {{{name}: 2026-11-30}}",
            )
