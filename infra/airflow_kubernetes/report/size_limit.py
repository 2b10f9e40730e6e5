"""A report that fits: what is most important first, of the rest as much as there is room for."""

from collections.abc import Sequence
from dataclasses import dataclass

LIMIT = 58_000
"""Bytes, so characters too: GitHub takes 65,536, and the poster adds lines of its own."""

RESERVE = 400
"""Bytes for the sentences that say what is missing."""


@dataclass(frozen=True)
class Part:
    """A part of the report: text before and after its items, and the items, a block each.

    `rank` is its importance, 0 the greatest; parts stand in their own order. `noun` is what an
    item is, to say how many are missing.
    """

    rank: int
    head: str
    items: tuple[str, ...]
    tail: str = ""
    noun: str = "line"


def whole(parts: Sequence[Part]) -> str:
    """All of it."""
    return "".join(_text(part, len(part.items)) for part in parts)


def fitted(parts: Sequence[Part], limit: int = LIMIT) -> tuple[str, bool]:
    """As many items as fit into `limit` bytes, and whether all did.

    Parts of smaller rank get room first, those of one rank in turn from the first on; a part
    without room for its head is left out. Each says how many of its items are missing.
    """
    text = whole(parts)
    if size(text) <= limit:
        return text, True
    room = limit - RESERVE
    kept: dict[int, int] = {}
    for index in sorted(range(len(parts)), key=lambda one: (parts[one].rank, one)):
        part = parts[index]
        cost = size(part.head) + size(part.tail) + (RESERVE // 4 if part.items else 0)
        if cost > room:
            continue
        room -= cost
        kept[index] = 0
        for item in part.items:
            if size(item) > room:
                break
            room -= size(item)
            kept[index] += 1
    shown = "".join(_text(parts[index], kept[index]) for index in sorted(kept))
    lost = len(parts) - len(kept)
    return shown + (f"\n… and {lost} more sections: see `full.md`.\n" if lost else ""), False


def size(text: str) -> int:
    """Bytes."""
    return len(text.encode())


def _text(part: Part, count: int) -> str:
    missing = len(part.items) - count
    more = f"\n… and {missing} more {part.noun}s: see `full.md`.\n" if missing else ""
    return part.head + "".join(part.items[:count]) + more + part.tail
