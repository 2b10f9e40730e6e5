"""What differs in one object, as text: field by field, whole items at once, secrets hidden."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from ..comparison.changes import Change
from ..comparison.leaves import MISSING, Difference, Path, differences, dotted, leaves, narrowed
from .redaction import CHECKSUM, SECRET, hidden

DOCUMENTS = (".json", ".yaml", ".yml")
"""Names of entries whose text is compared by what it holds."""

CONTEXT = 2
"""Unchanged lines around a changed one."""


@dataclass(frozen=True)
class Field:
    """One field: its dotted path and both values as YAML; None where there is none.

    `name` is its last key. Of a text of several lines `diff` holds the difference instead. `why`
    says that this field makes Pulumi replace the object ("replaces"), or that the API server
    refuses its change ("refused").
    """

    path: str
    name: str
    old: str | None
    new: str | None
    diff: str | None = None
    why: str = ""


def fields(change: Change) -> tuple[Field, ...]:
    """The fields of an object that is changed or replaced; a Job's without its hash."""
    found: list[Difference] = list(change.differences)
    if change.kind == "Job":
        found = [one for one in found if one.path != ("metadata", "name")]
    result: list[Field] = []
    for top, group in _items(found, change.before, change.after):
        why = _why(change, group)
        if len(group) > 1:
            result.append(_item(change.kind, top, group, why))
        else:
            result += _leaf(change.kind, group[0], why)
    return tuple(result)


def as_yaml(value: Any) -> str:
    """A value on one line, as in a values file."""
    text: str = yaml.dump(
        value,
        Dumper=yaml.CSafeDumper,
        default_flow_style=True,
        width=10**6,
        allow_unicode=True,
        sort_keys=False,
    )
    return text.removesuffix("\n").removesuffix("\n...")


def field(path: Path, old: Any, new: Any, why: str = "") -> Field:
    """A leaf's difference as text; where both are hidden, only that there is one."""
    place = dotted(path), next((key for key in reversed(path) if not key.startswith("[")), "")
    if old == new:
        said = old if old == CHECKSUM else SECRET
        return Field(*place, said, said, None, why)
    if any(isinstance(one, str) and "\n" in one for one in (old, new)):
        return Field(*place, None, None, unified(old, new), why)
    before, after = (None if one is MISSING else as_yaml(one) for one in (old, new))
    return Field(*place, before, after, None, why)


def unified(old: Any, new: Any) -> str:
    """What differs between two texts, line by line, `@@` between distant places."""
    before, after = ("" if one is MISSING else str(one) for one in (old, new))
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=CONTEXT, lineterm="")
    # Without the names of files; and line numbers differ where nothing else does.
    return "\n".join("@@" if line.startswith("@@") else line for line in list(lines)[3:])


def _why(change: Change, group: Iterable[Difference]) -> str:
    paths = {one.path for one in group}
    if change.kind != "Job" and paths & {*change.replacing}:
        return "replaces"
    return "refused" if change.kind != "Job" and paths & {*change.refused} else ""


def _items(
    found: Sequence[Difference], before: Any, after: Any
) -> Iterator[tuple[Path, list[Difference]]]:
    """Differences by the whole item that only one side has, a container say; else each alone."""
    groups: dict[Path, list[Difference]] = {}
    there = {side: _prefixes(leaves(obj)) for side, obj in (("old", before), ("new", after))}
    for one in found:
        absent = "old" if one.old is MISSING else "new" if one.new is MISSING else None
        top: Path | None = one.path
        if absent:
            top = next((part for part in _parts(one.path) if part not in there[absent]), None)
        if top is not None:  # an empty list or mapping gets its first item, which is told
            groups.setdefault(top, []).append(one)
    yield from groups.items()


def _prefixes(paths: Iterable[Path]) -> set[Path]:
    return {part for path in paths for part in _parts(path)}


def _parts(path: Path) -> Iterator[Path]:
    return (path[:length] for length in range(1, len(path) + 1))


def _item(kind: str, top: Path, group: Sequence[Difference], why: str) -> Field:
    """An item with all its leaves, on the one side that has it."""
    added = group[0].old is MISSING
    content = {
        dotted(one.path[len(top) :]): hidden(kind, one.path, one.new if added else one.old)
        for one in group
    }
    old, new = (MISSING, content) if added else (content, MISSING)
    return field(top, old, new, why)


def _leaf(kind: str, difference: Difference, why: str) -> Iterator[Field]:
    """A leaf, or the leaves of the YAML or JSON in it; of two lists the items."""
    path, old, new = difference.path, difference.old, difference.new
    if path[-1].endswith(DOCUMENTS) and (documents := _documents(old, new)):
        for top, group in _items(differences(*documents), *documents):
            inner = [Difference((*path, *one.path), one.old, one.new) for one in group]
            if len(group) > 1:
                yield _item(kind, (*path, *top), inner, why)
            else:
                yield from _leaf(kind, inner[0], why)
        return
    shown = Difference(path, hidden(kind, path, old), hidden(kind, path, new))
    lists = isinstance(old, list) and isinstance(new, list) and shown.old != shown.new
    for one in narrowed(shown) if lists else (shown,):
        yield field(one.path, one.old, one.new, why)


def _documents(old: Any, new: Any) -> tuple[Any, Any] | None:
    """Two texts as what they hold, if that is mappings that differ."""
    if not (isinstance(old, str) and isinstance(new, str)):
        return None
    try:
        before, after = (yaml.load(one, Loader=yaml.CSafeLoader) for one in (old, new))
    except yaml.YAMLError:
        return None
    if isinstance(before, dict) and isinstance(after, dict) and before != after:
        return before, after
    return None
