"""What happens to each object, field by field, as text without secrets."""

import difflib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from ..comparison.changes import Change, Operation
from ..comparison.leaves import MISSING, Difference, Path, dotted, narrowed
from .model import OUTCOMES, Field, ObjectChange
from .redaction import CHECKSUM, SECRET, hidden

CONTEXT_LINES = 2
"""Unchanged lines around a changed line of a text."""


def object_changes(changes: Iterable[Change]) -> tuple[ObjectChange, ...]:
    """The changes as a report shows them, the gravest outcomes first."""
    found = [
        ObjectChange(
            _outcome(change),
            change.kind,
            name_of(change),
            tuple(_fields(change)) if change.before and change.after else (),
            _content(change.kind, change.after) if change.after and not change.before else "",
        )
        for change in changes
    ]
    order = OUTCOMES.index
    return tuple(sorted(found, key=lambda each: (order(each.outcome), each.kind, each.name)))


def outcomes(changes: Iterable[ObjectChange]) -> dict[str, int]:
    """The number of objects by outcome in small letters, the gravest first."""
    counts = Counter(change.outcome.lower() for change in changes)
    return {outcome: counts[outcome] for outcome in OUTCOMES if counts[outcome]}


def _outcome(change: Change) -> str:
    match change.operation:
        case Operation.REPLACE if change.kind == "Job":
            return "run again"  # it ended long ago
        case Operation.REPLACE:
            return "REPLACED" if change.blocked else "replaced"
        case Operation.DELETE:
            return "DELETED" if change.blocked else "deleted"
        case Operation.CREATE:
            return "created"
    return "changed"


def name_of(change: Change) -> str:
    """The object's name, a Job's without its hash."""
    return change.name.rpartition("-")[0] if change.kind == "Job" else change.name


def text(value: Any) -> str | None:
    """A value on one line; None for MISSING."""
    if value is MISSING:
        return None
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _fields(change: Change) -> Iterator[Field]:
    for each in change.differences:
        if change.kind == "Job" and each.path == ("metadata", "name"):
            continue  # another hash
        old, new = (hidden(change.kind, each.path, value) for value in (each.old, each.new))
        shown, effect = Difference(each.path, old, new), _effect(change, each.path)
        lists = isinstance(old, list) and isinstance(new, list) and old != new
        yield from (_field(part, effect) for part in (narrowed(shown) if lists else [shown]))


def _effect(change: Change, path: Path) -> str:
    """Of the field, of something in it, or of what it is in."""
    for effect, paths in (("replaces", change.replacing), ("refused", change.refused)):
        for other in paths if change.kind != "Job" else ():
            length = min(len(path), len(other))
            if path[:length] == other[:length]:
                return effect
    return ""


def _field(difference: Difference, effect: str) -> Field:
    path, values = difference.path, (difference.old, difference.new)
    name = next((key for key in reversed(path) if not key.startswith("[")), "")
    old, new = map(text, values)
    if values[0] == values[1]:  # both hidden
        old = new = CHECKSUM if values[0] == CHECKSUM else SECRET
    elif any(isinstance(value, str) and "\n" in value for value in values):
        return Field(dotted(path), name, None, None, _diff(old or "", new or ""), effect)
    return Field(dotted(path), name, old, new, None, effect)


def _diff(old: str, new: str) -> str:
    """Two texts line by line, `@@` between distant places."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), n=CONTEXT_LINES, lineterm="")
    # Without the names of files, and without line numbers, which differ where nothing else does.
    return "\n".join("@@" if line.startswith("@@") else line for line in list(lines)[3:])


class _Dumper(yaml.CSafeDumper):
    """Writes texts of several lines as blocks."""


def _represent_text(dumper: yaml.CSafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _represent_text)


def _content(kind: str, obj: dict[str, Any]) -> str:
    shown: str = yaml.dump(hidden(kind, (), obj), Dumper=_Dumper, width=100, allow_unicode=True)
    return shown.rstrip("\n")
