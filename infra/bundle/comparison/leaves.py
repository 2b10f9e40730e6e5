"""An object as its leaves: each value by its path, so that two objects can be compared.

Items of a list are found by name where they have one (Kubernetes merges containers, variables,
volumes and ports so), so that an insertion is one difference and not a shift of all that follows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

Path = tuple[str, ...]
"""Keys from the top of an object; an item of a list is its name or its position in brackets:
`("spec", "containers", "[scheduler]", "image")`."""


class Missing(Enum):
    """No value: the leaf is not there at all. (None is YAML's null, a value.)"""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING
NAMES = ("name", "mountPath", "containerPort", "port", "key")
"""What names the items of Kubernetes' lists, the first that every item has and no two share."""


@dataclass(frozen=True)
class Difference:
    """A leaf of which two objects hold different values; MISSING where one has no such leaf."""

    path: Path
    old: Any
    new: Any


def dotted(path: Path) -> str:
    """`spec.containers[scheduler].image`; a key with dots of its own is quoted in brackets."""
    text = ""
    for part in path:
        if part.startswith("["):
            text += part
        elif "." in part or "/" in part:
            text += f'["{part}"]'
        else:
            text += f".{part}" if text else part
    return text


def leaves(value: Any) -> dict[Path, Any]:
    """Every leaf of plain data by its path: scalars, lists of scalars, empty mappings and lists."""
    return dict(_leaves(value, ()))


def differences(old: Any, new: Any) -> list[Difference]:
    """The leaves in which two values differ, in the order of their paths."""
    before, after = leaves(old), leaves(new)
    return [
        Difference(path, before.get(path, MISSING), after.get(path, MISSING))
        for path in sorted(before.keys() | after.keys())
        if before.get(path, MISSING) != after.get(path, MISSING)
    ]


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, str(key)))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for name, item in zip(_names(value), value, strict=True):
            yield from _leaves(item, (*path, f"[{name}]"))
    else:
        yield path, value


def _names(items: list[Any]) -> list[str]:
    """What tells the items of a list apart: their names, else their positions from 0."""
    if all(isinstance(item, dict) for item in items):
        for key in NAMES:
            names = [str(item[key]) for item in items if key in item]
            if len(set(names)) == len(items):
                return names
    return [str(position) for position in range(len(items))]
