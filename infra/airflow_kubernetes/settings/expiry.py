"""`until:` of values/<env>.yaml: expiry dates of differences from common.yaml.

    until:
      airflow.stopped: 2026-11-30

Fields that are temporary by their mark need a date, others may have one. An expired date is
reported by `make parity` and the preview, never by a deployment, which may be urgent.
"""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from .bounds import at, marked, plain
from .document import Document, shown
from .problems import Fault, dotted
from .schema import Settings

KEY = "until"


def without(document: Document) -> Document:
    """The document's settings alone."""
    return replace(
        document, data={key: value for key, value in document.data.items() if key != KEY}
    )


def days(document: Document) -> dict[str, date]:
    """The expiry date of each difference that has one, by the dotted path of its field."""
    entries = document.data.get(KEY)
    return {
        path: day
        for path, day in (entries if isinstance(entries, Mapping) else {}).items()
        if type(day) is date  # not its subclass datetime
    }


def problems(document: Document, settings: Settings, common: Settings) -> Iterator[Fault]:
    """Path and message of every wrong entry, and of every temporary difference without an entry."""
    entries: Any = document.data.get(KEY, {})
    if not isinstance(entries, dict):
        yield (KEY,), "should be a mapping of fields to dates, such as airflow.stopped: 2026-11-30"
        entries = {}
    base = plain(common)
    known = {dotted(field.path): field for field in marked(plain(settings))}
    dated = days(document)
    for name, day in entries.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; write its whole path"
            yield (KEY, name), f"not a field that environments may set{hint}"
        elif name not in dated:
            written = shown(day, (KEY, name), [document])
            message = f"should be a date without quotes, such as 2026-11-30, not {written}"
            yield (KEY, name), message
    for name, field in known.items():
        differs = at(document.data, field.path) not in (None, at(base, field.path))
        if field.mark.temporary and differs and name not in entries:
            yield (
                field.path,
                f"may differ only temporarily ({field.mark.why}); add its expiry date: "
                f"{KEY}: {{{name}: 2026-11-30}}",
            )
