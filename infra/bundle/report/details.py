"""The changed objects in Markdown: one block an object, and what many have in common said once."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ..comparison.changes import Operation
from .objects import Field, ObjectChange, word
from .writing import around, clipped, code, fence, plural

T = TypeVar("T", bound=Hashable)

MANY = 3
"""From so many places on, the same difference is told once."""


@dataclass(frozen=True)
class Clip:
    """How much of one object the short report shows."""

    fields: int = 25
    lines: int = 40
    characters: int = 3000
    value: int = 240


def shared(items: Mapping[str, Iterable[T]]) -> list[tuple[tuple[str, ...], list[T]]]:
    """What is the same in several environments once, under all their names; the most first."""
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


def blocks(changes: Sequence[ObjectChange], clip: Clip | None) -> Iterator[str]:
    """A block for each object; `clip` None shows everything."""
    common = Counter(
        (one.old, one.new) for change in changes for one in change.fields if _plain(one)
    )
    often = {pair for pair, count in common.items() if count >= MANY}
    for change in sorted(changes, key=_last):
        own = [one for one in change.fields if not (_plain(one) and (one.old, one.new) in often)]
        if own or not change.fields:
            yield _object(change, own, clip)
    yield from (_everywhere(pair, changes, clip) for pair in sorted(often))


def _plain(one: Field) -> bool:
    """Whether the field is one of values, and no more remarkable than others of the same."""
    return one.diff is None and not one.why and None not in (one.old, one.new)


def _last(change: ObjectChange) -> bool:
    return change.operation is Operation.CREATE


def _everywhere(
    pair: tuple[str | None, str | None], changes: Sequence[ObjectChange], clip: Clip | None
) -> str:
    places = Counter(
        f"{change.kind}/{change.name}"
        for change in changes
        for one in change.fields
        if _plain(one) and (one.old, one.new) == pair
    )
    names = [f"{code(name)}{f' ({count})' if count > 1 else ''}" for name, count in places.items()]
    shown = names[: clip.fields] if clip else names
    more = f" and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
    count = plural(sum(places.values()), "field")
    return f"In {count}: {_values(*pair, clip)}\n{', '.join(shown)}{more}\n\n"


def _object(change: ObjectChange, fields: Sequence[Field], clip: Clip | None) -> str:
    grave = change.protected and change.operation in (Operation.REPLACE, Operation.DELETE)
    said = word(change).upper() if grave else word(change)
    lines = [f"**{said}** {code(f'{change.kind}/{change.name}')}"]
    shown = fields[: clip.fields] if clip else fields
    diffs = []
    for one in shown:
        why = {"replaces": ": **replaces the object**", "refused": ": **refused**"}.get(one.why, "")
        if one.diff is None:
            lines.append(f"- {code(one.path)}: {_values(one.old, one.new, clip)}{why}")
        else:
            text = clipped(one.diff, clip.lines, clip.characters) if clip else one.diff
            diffs.append(f"{code(one.path)}{why}\n{fence(text, 'diff')}")
    if len(shown) < len(fields):
        lines.append(f"- … and {plural(len(fields) - len(shown), 'more field')}: see `full.md`")
    if change.content:
        text = clipped(change.content, clip.lines, clip.characters) if clip else change.content
        diffs.append(fence(text.rstrip("\n"), "yaml"))
    return "\n".join(lines) + "\n\n" + "".join(f"{diff}\n\n" for diff in diffs)


def _values(old: str | None, new: str | None, clip: Clip | None) -> str:
    if old == new and old is not None:
        return f"{code(old)}, another one"
    if clip is not None:
        before, after = around(old or "", new or "", clip.value)
        old, new = None if old is None else before, None if new is None else after
    if old is None:
        return f"added {code(new or '')}"
    return f"{code(old)} removed" if new is None else f"{code(old)} → {code(new)}"
