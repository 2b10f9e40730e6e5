"""Changes of objects as a report tells them: paths and values as text, secrets hidden."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from ..comparison.changes import Change, Operation
from ..comparison.leaves import MISSING, Difference, Path, differences, dotted
from ..kubernetes.metadata import is_protected
from ..parity.facts import narrowed
from .hiding import CHECKSUM, SECRET, hidden, hidden_object

DOCUMENTS = (".json", ".yaml", ".yml")
"""Names of entries whose text is compared by what it holds."""

CONTEXT = 2
"""Unchanged lines around a changed one."""

WORDS = ("replaced", "deleted", "changed", "created", "run again")
"""What happens to an object, the gravest first."""

ORDER = (Operation.REPLACE, Operation.DELETE, Operation.UPDATE, Operation.CREATE)


@dataclass(frozen=True)
class Field:
    """One leaf: its dotted path and both values as YAML; None where there is none.

    Of a text of several lines `diff` holds the difference instead. `why` says that this field
    makes Pulumi replace the object ("replaces"), or that the API server refuses it ("refused").
    """

    path: str
    old: str | None
    new: str | None
    diff: str | None = None
    why: str = ""


@dataclass(frozen=True)
class ObjectChange:
    """One object: what happens to it, in which fields. `content` is a created one as YAML.

    A Job's name is without its hash, which every change of its inputs makes another. `protected`
    is whether it held data or secrets before.
    """

    operation: Operation
    kind: str
    name: str
    protected: bool
    fields: tuple[Field, ...] = ()
    content: str = ""


def told(changes: Iterable[Change]) -> tuple[ObjectChange, ...]:
    """The changes as a report tells them, the gravest kinds first."""
    found = [_told(change) for change in changes]
    return tuple(sorted(found, key=lambda one: (ORDER.index(one.operation), one.kind, one.name)))


def word(change: ObjectChange) -> str:
    """One of WORDS. A Job that is replaced has ended long ago: it is made to run again."""
    if change.kind == "Job" and change.operation is Operation.REPLACE:
        return "run again"
    return {
        Operation.REPLACE: "replaced",
        Operation.DELETE: "deleted",
        Operation.UPDATE: "changed",
        Operation.CREATE: "created",
    }[change.operation]


def name_of(change: Change) -> str:
    """The object's name, a Job's without its hash."""
    return change.name.rpartition("-")[0] if change.kind == "Job" else change.name


def as_yaml(value: Any) -> str:
    """A value on one line, as in a values file."""
    text: str = yaml.dump(
        value, Dumper=yaml.CSafeDumper, default_flow_style=True, width=10**6, allow_unicode=True
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _told(change: Change) -> ObjectChange:
    content = ""
    fields: tuple[Field, ...] = ()
    if change.operation is Operation.CREATE and change.after is not None:
        content = yaml.dump(
            hidden_object(change.after), Dumper=yaml.CSafeDumper, width=100, allow_unicode=True
        )
    elif change.operation is not Operation.DELETE:
        fields = tuple(field for one in change.differences for field in _fields(change, one))
    protected = change.before is not None and is_protected(change.before)
    return ObjectChange(change.operation, change.kind, name_of(change), protected, fields, content)


def _fields(change: Change, difference: Difference) -> Iterator[Field]:
    why = ""
    if change.kind == "Job" and change.operation is Operation.REPLACE:
        if difference.path == ("metadata", "name"):
            return  # its hash, of all the other fields
    elif difference.path in change.replacing:
        why = "replaces"
    elif difference.path in change.refused:
        why = "refused"
    for one in _finer(difference):
        old = hidden(change.kind, one.path, one.old)
        new = hidden(change.kind, one.path, one.new)
        shown = Difference(one.path, old, new)
        both = isinstance(old, list) and isinstance(new, list) and old != new
        for part in narrowed(shown) if both else (shown,):
            yield field(part.path, part.old, part.new, why)


def field(path: Path, old: Any, new: Any, why: str = "") -> Field:
    """A leaf's difference as text; where both are hidden, only that there is one."""
    name = dotted(path)
    if old == new:
        word = old if old == CHECKSUM else SECRET
        return Field(name, word, word, None, why)
    if any(isinstance(one, str) and "\n" in one for one in (old, new)):
        return Field(name, None, None, unified(old, new), why)
    before, after = (None if one is MISSING else as_yaml(one) for one in (old, new))
    return Field(name, before, after, None, why)


def unified(old: Any, new: Any) -> str:
    """What differs between two texts, line by line, `@@` between distant places."""
    before, after = ("" if one is MISSING else str(one) for one in (old, new))
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=CONTEXT, lineterm="")
    # Without the names of files; and line numbers differ where nothing else does.
    return "\n".join("@@" if line.startswith("@@") else line for line in list(lines)[3:])


def _finer(difference: Difference) -> Iterator[Difference]:
    """The leaves of YAML and JSON in a ConfigMap; anything else as it is."""
    path, old, new = difference.path, difference.old, difference.new
    if path[-1].endswith(DOCUMENTS) and isinstance(old, str) and isinstance(new, str):
        try:
            before, after = (yaml.load(one, Loader=yaml.CSafeLoader) for one in (old, new))
        except yaml.YAMLError:
            before = after = None
        inner = differences(before, after)
        if inner and isinstance(before, dict) and isinstance(after, dict):
            yield from (Difference((*path, *one.path), one.old, one.new) for one in inner)
            return
    yield difference
