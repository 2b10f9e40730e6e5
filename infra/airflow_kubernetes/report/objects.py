"""What happens to each object, field by field, as text without secrets."""

import difflib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from ..comparison.changes import Change, Operation
from ..comparison.leaves import MISSING, Difference, Path, children, dotted, narrowed
from ..comparison.replacement import same_amount
from ..kubernetes.manifest import is_protected
from .model import OUTCOMES, Field, ObjectChange
from .redaction import CHECKSUM, SECRET, document, hidden

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
    lost = change.before is not None and is_protected(change.before)
    if change.operation is Operation.REPLACE:
        # A replaced Job ended long ago: it is only made to run again.
        return "run again" if change.kind == "Job" else "REPLACED" if lost else "replaced"
    if change.operation is Operation.DELETE:
        return "DELETED" if lost else "deleted"
    return "created" if change.operation is Operation.CREATE else "changed"


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
    masked = [each for each in change.differences if each.old == each.new]  # by Pulumi
    found = [*_changed(change.before, change.after, ()), *masked]
    for each in sorted(found, key=lambda each: each.path):
        path, values = each.path, (each.old, each.new)
        if same_amount(each) or (change.kind == "Job" and path == ("metadata", "name")):
            continue  # another unit, another hash
        old, new = (hidden(change.kind, path, value) for value in values)
        shown, effect = Difference(path, old, new), _effect(change, path)
        lists = isinstance(old, list) and isinstance(new, list) and old != new
        yield from (_field(part, effect) for part in (narrowed(shown) if lists else [shown]))


def _changed(old: Any, new: Any, path: Path) -> Iterator[Difference]:
    """Changed leaves, and whole items that only one side has (a container, say)."""
    held = document(path, old), document(path, new)
    if held[0] != held[1] and all(isinstance(each, dict) for each in held):
        old, new = held
    before, after = children(old), children(new)
    if _is_leaf(old) or _is_leaf(new) or not (before or after):
        if old != new:
            yield Difference(path, old, new)
        return
    for key in {**before, **after}:
        yield from _changed(before.get(key, MISSING), after.get(key, MISSING), (*path, key))
    if isinstance(old, list):
        order = [
            ", ".join(key[1:-1] for key in side if key in before and key in after)
            for side in (before, after)
        ]
        if order[0] != order[1]:
            yield Difference(path, *order)


def _is_leaf(value: Any) -> bool:
    return not children(value) and value not in ({}, [])


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
