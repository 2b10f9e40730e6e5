"""An object as its leaves: each value by its path, so that two objects can be compared.

Items of a list are found by name where they have one (Kubernetes merges containers, variables,
volumes and ports so), so that an insertion is one difference and not a shift of all that follows.
Files of a ConfigMap that are JSON or YAML are compared as what they hold.
"""

import difflib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import yaml

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


def differences(old: Any, new: Any, *, whole: bool = False) -> list[Difference]:
    """The leaves in which two values differ, in the order of their paths.

    Items of a list that changed places are one more difference: their names in order. With `whole`,
    what only one side has (a container, say) is one difference instead of one for each leaf.
    """
    return sorted(_differences(old, new, (), whole), key=lambda difference: difference.path)


def document(path: Path, value: Any) -> Any:
    """What a JSON or YAML entry of a ConfigMap holds, if that is a mapping; else the value."""
    if isinstance(value, str) and path and path[-1].endswith((".json", ".yaml", ".yml")):
        with suppress(yaml.YAMLError):
            held = yaml.load(value, Loader=yaml.CSafeLoader)
            return held if isinstance(held, dict) else value
    return value


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


def _differences(old: Any, new: Any, path: Path, whole: bool) -> Iterator[Difference]:
    held = document(path, old), document(path, new)
    if held[0] != held[1] and all(isinstance(each, dict) for each in held):
        old, new = held
    before, after = children(old), children(new)
    comparable = [each for each in (old, new) if whole or each is not MISSING]
    if not (before or after) or any(map(_is_leaf, comparable)):
        if old != new:
            yield Difference(path, old, new)
        return
    for key in before | after:
        pair = before.get(key, MISSING), after.get(key, MISSING)
        yield from _differences(*pair, (*path, key), whole)
    if isinstance(old, list) and isinstance(new, list):
        order = [
            ", ".join(key[1:-1] for key in side if key in before and key in after)
            for side in (before, after)
        ]
        if order[0] != order[1]:
            yield Difference(path, *order)


def _is_leaf(value: Any) -> bool:
    return not children(value) and value not in ({}, [])


def _names(items: list[Any]) -> list[str]:
    """What identifies the items of a list: their names, else their positions from 0."""
    if all(isinstance(item, dict) for item in items):
        for key in NAMES:
            names = [str(item[key]) for item in items if key in item]
            if len(set(names)) == len(items):
                return names
    return [str(position) for position in range(len(items))]
