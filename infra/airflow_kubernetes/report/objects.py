"""Changes of objects as a report tells them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from ..comparison.changes import Change, Operation
from ..kubernetes.manifest import is_protected
from .fields import Field, fields
from .redaction import hidden_object

WORDS = ("replaced", "deleted", "changed", "created", "run again")
"""What happens to an object, the gravest first."""


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
    return tuple(sorted(found, key=lambda one: (WORDS.index(word(one)), one.kind, one.name)))


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


def _told(change: Change) -> ObjectChange:
    created, deleted = change.before is None, change.after is None
    return ObjectChange(
        change.operation,
        change.kind,
        name_of(change),
        change.before is not None and is_protected(change.before),
        () if created or deleted else fields(change),
        _content(change.after) if created and change.after is not None else "",
    )


def _content(obj: dict[str, Any]) -> str:
    text: str = yaml.dump(hidden_object(obj), Dumper=_Dumper, width=100, allow_unicode=True)
    return text.rstrip("\n")


class _Dumper(yaml.CSafeDumper):
    """Texts of several lines as such."""


def _text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
