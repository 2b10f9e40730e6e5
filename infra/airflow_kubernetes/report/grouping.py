"""What several environments have in common, so that it is told once."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from .fields import Field
from .objects import ObjectChange

T = TypeVar("T", bound=Hashable)


def shared(items: Mapping[str, Iterable[T]]) -> list[tuple[tuple[str, ...], list[T]]]:
    """Each item once, under the names of all that have it; the most names first."""
    owners: dict[T, list[str]] = {}
    for name, those in items.items():
        for item in dict.fromkeys(those):
            owners.setdefault(item, []).append(name)
    groups: dict[tuple[str, ...], list[T]] = {}
    for item, names in owners.items():
        groups.setdefault(tuple(sorted(names)), []).append(item)
    return sorted(groups.items(), key=lambda group: (-len(group[0]), group[0]))


def parts(changes: Iterable[ObjectChange]) -> Iterator[ObjectChange]:
    """Each field by itself, as a change of its object: environments may share some of them."""
    for change in changes:
        if change.fields:
            yield from (replace(change, fields=(one,)) for one in change.fields)
        else:
            yield change


def joined(changes: Iterable[ObjectChange]) -> list[ObjectChange]:
    """Objects with all their fields again."""
    found: dict[ObjectChange, tuple[Field, ...]] = {}
    for change in changes:
        bare = replace(change, fields=())
        found[bare] = (*found.get(bare, ()), *change.fields)
    return [replace(bare, fields=fields) for bare, fields in found.items()]
