"""An object as its leaves: each value by its path, so that two objects can be compared.

Items of a list are found by name where they have one (Kubernetes merges containers, variables,
volumes and ports so), so that an insertion is one difference and not a shift of all that follows.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

Path = tuple[str, ...]
"""Keys from the top of an object; an item of a list is its name or its position in brackets:
`("spec", "containers", "[scheduler]", "image")`."""


class Missing(Enum):
    """The value of a leaf that does not exist. (None is YAML's null, a value.)"""

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
    """The leaves in which two values differ, in the order of their paths.

    Items of a list that changed places are one more difference: the names in their order.
    """
    before, after = leaves(old), leaves(new)
    found = [
        Difference(path, before.get(path, MISSING), after.get(path, MISSING))
        for path in before.keys() | after.keys()
        if before.get(path, MISSING) != after.get(path, MISSING)
    ]
    return sorted([*found, *_moved(old, new, ())], key=lambda difference: difference.path)


def narrowed(difference: Difference) -> Iterator[Difference]:
    """The items of two lists, or the lines of two texts, that differ; else the difference itself.

    Positions count from 0, lines from 1, both on the old side.
    """
    path, old, new = difference.path, difference.old, difference.new
    if isinstance(old, list) and isinstance(new, list):
        for start, before, after in _unequal(old, new):
            item = (*path, f"[{start}]")
            if len(before) == len(after) == 1:
                yield from narrowed(Difference(item, before[0], after[0]))
            else:
                yield Difference(item, before or MISSING, after or MISSING)
    elif isinstance(old, str) and isinstance(new, str) and "\n" in old + new:
        for start, before, after in _unequal(old.splitlines(), new.splitlines()):
            line = (*path, f"[line {start + 1}]")
            yield Difference(line, "\n".join(before) or MISSING, "\n".join(after) or MISSING)
    else:
        yield difference


def _unequal(old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[int, list[Any], list[Any]]]:
    """Position, old items and new items of each run in which two sequences differ."""
    matcher = difflib.SequenceMatcher(None, [*map(repr, old)], [*map(repr, new)], autojunk=False)
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if kind != "equal":
            yield start, list(old[start:end]), list(new[new_start:new_end])


def children(value: Any) -> dict[str, Any]:
    """What is directly in a mapping, by key, or in a list of mappings, by `[name]` or `[position]`.

    Empty for a leaf.
    """
    if isinstance(value, dict):
        return {str(key): item for key, item in value.items()}
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return {f"[{name}]": item for name, item in zip(_names(value), value, strict=True)}
    return {}


def _moved(old: Any, new: Any, path: Path) -> Iterator[Difference]:
    before, after = children(old), children(new)
    if isinstance(old, list) and isinstance(new, list):
        names = [
            [key[1:-1] for key in side if key in before and key in after]
            for side in (before, after)
        ]
        if names[0] != names[1]:
            yield Difference(path, *names)
    for key in before.keys() & after.keys():
        yield from _moved(before[key], after[key], (*path, key))


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    inner = children(value)
    if not inner:
        yield path, value
    for key, item in inner.items():
        yield from _leaves(item, (*path, key))


def _names(items: list[Any]) -> list[str]:
    """What identifies the items of a list: their names, else their positions from 0."""
    if all(isinstance(item, dict) for item in items):
        for key in NAMES:
            names = [str(item[key]) for item in items if key in item]
            if len(set(names)) == len(items):
                return names
    return [str(position) for position in range(len(items))]
