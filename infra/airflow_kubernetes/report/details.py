"""The changed objects in Markdown: one block an object, and what many have in common said once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..comparison.changes import Operation
from .fields import Field
from .objects import WORDS, ObjectChange, word
from .writing import around, clipped, code, codes, fence, plural

MANY = 3
"""From so many places on, the same difference is told once."""

WHY = {
    "replaces": ": **makes Pulumi replace the object**",
    "refused": ": **refused by the API server**",
}

Same = tuple[str, str | None, str | None]
"""A field's last key and its values."""


@dataclass(frozen=True)
class Clip:
    """How much of one object the short report shows."""

    fields: int = 25
    lines: int = 30
    characters: int = 3000
    value: int = 240


def blocks(changes: Sequence[ObjectChange], clip: Clip | None) -> Iterator[str]:
    """A block for each object; `clip` None shows everything."""
    common = Counter(_same(one) for change in changes for one in change.fields if _plain(one))
    often = {same for same, count in common.items() if count >= MANY}
    for said in WORDS:
        those = [change for change in changes if word(change) == said]
        bare = [change for change in those if not change.fields and not change.content]
        if bare:
            yield f"{_word(said, bare)} {codes(map(_name, bare))}\n\n"
        for change in those:
            own = [one for one in change.fields if not (_plain(one) and _same(one) in often)]
            if own or change.content:
                yield _object(change, own, clip)
    yield from (_everywhere(same, changes, clip) for same in sorted(often, key=str))


def _plain(one: Field) -> bool:
    """Whether nothing about the field is more remarkable than in others with its values."""
    return one.diff is None and not one.why


def _same(one: Field) -> Same:
    return one.name, one.old, one.new


def _name(change: ObjectChange) -> str:
    return f"{change.kind}/{change.name}"


def _word(said: str, changes: Iterable[ObjectChange]) -> str:
    lost = (Operation.REPLACE, Operation.DELETE)
    grave = any(change.protected and change.operation in lost for change in changes)
    return f"**{said.upper() if grave else said}**"


def _everywhere(same: Same, changes: Sequence[ObjectChange], clip: Clip | None) -> str:
    places = Counter(
        _name(change)
        for change in changes
        for one in change.fields
        if _plain(one) and _same(one) == same
    )
    name, old, new = same
    names = [f"{code(one)}{f' ({count})' if count > 1 else ''}" for one, count in places.items()]
    shown = names[: clip.fields] if clip else names
    more = f" and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
    times = plural(sum(places.values()), "time")
    return f"{times} {code(name)}: {_values(old, new, clip)}\n{', '.join(shown)}{more}\n\n"


def _object(change: ObjectChange, fields: Sequence[Field], clip: Clip | None) -> str:
    lines = [f"{_word(word(change), [change])} {code(_name(change))}"]
    shown = fields[: clip.fields] if clip else fields
    diffs = []
    for one in shown:
        why = WHY.get(one.why, "")
        if one.diff is None:
            lines.append(f"- {code(one.path)}: {_values(one.old, one.new, clip)}{why}")
        else:
            diffs.append(f"{code(one.path)}{why}\n{fence(_text(one.diff, clip), 'diff')}")
    if len(shown) < len(fields):
        lines.append(f"- … and {plural(len(fields) - len(shown), 'more field')}: see `full.md`")
    if change.content:
        diffs.append(fence(_text(change.content, clip), "yaml"))
    return "\n".join(lines) + "\n\n" + "".join(f"{diff}\n\n" for diff in diffs)


def _text(text: str, clip: Clip | None) -> str:
    return clipped(text, clip.lines, clip.characters) if clip else text


def _values(old: str | None, new: str | None, clip: Clip | None) -> str:
    if old == new and old is not None:
        return f"{code(old)}, another one"
    if clip is not None:
        before, after = around(old or "", new or "", clip.value)
        old, new = None if old is None else before, None if new is None else after
    if old is None:
        return f"{code(new or '')} added"
    return f"{code(old)} removed" if new is None else f"{code(old)} → {code(new)}"
