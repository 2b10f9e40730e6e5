"""The comparison of two environments, for a terminal."""

from collections.abc import Iterator
from typing import Any

import yaml

from ..comparison.leaves import MISSING
from .check import Explained, Parity
from .disparity import Disparity


def text(found: Parity) -> str:
    """The verdict; then what is wrong, or the table of what differs and why."""
    rows = [line for one in found.problems for line in _problem(one)] or _table(found)
    return "\n".join([verdict(found), *rows])


def verdict(found: Parity) -> str:
    """One line: whether the two are alike."""
    both = f"{found.left} and {found.right}"
    if found.problems:
        return f"{both}: {len(found.problems)} to mend"
    if not found.explained:
        return f"{both}: the same"
    return f"{both}: all differences explained, by {len(found.explained)} settings"


def _problem(one: Disparity) -> Iterator[str]:
    yield f"  {one.kind}: {one.what}"
    for whose, value in one.values:
        lines = _shown(value).splitlines()
        yield f"    {whose}: {lines[0]}"
        yield from (f"      {line}" for line in lines[1:])
    yield f"    {one.place}: {one.remedy}"


def _table(found: Parity) -> Iterator[str]:
    """Aligned columns, below each reason the fields that have it."""
    if not found.explained:
        return
    head = ("", found.left, found.right, "leaves", "owner", "until")
    rows = {
        why: [row for one in found.explained if one.why == why for row in _rows(one)]
        for why in dict.fromkeys(one.why for one in found.explained)
    }
    every = [head, *(row for group in rows.values() for row in group)]
    widths = [max(len(row[column]) for row in every) for column in range(len(head))]
    yield _line(head, widths)
    for why, group in rows.items():
        yield f"{why}:"
        yield from (_line(row, widths) for row in group)


def _rows(one: Explained) -> Iterator[tuple[str, ...]]:
    """A field's row, and below it one for each differing value of a section."""
    rest = (str(one.leaves), one.owner, str(one.until or "-"))
    if not (isinstance(one.left, dict) and isinstance(one.right, dict)):
        yield (one.path, _shown(one.left), _shown(one.right), *rest)
        return
    yield (one.path, "", "", *rest)
    for key in dict.fromkeys([*one.left, *one.right]):
        left, right = one.left.get(key, MISSING), one.right.get(key, MISSING)
        yield (f"  {key}", _shown(left), _shown(right), "", "", "")


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    return "  " + "  ".join(map(str.ljust, row, widths)).rstrip()


def _shown(value: Any) -> str:
    """As in a values file, on one line but for texts."""
    if value is MISSING:
        return "-"
    if isinstance(value, str):
        return value or '""'
    return (
        yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("\n...\n").strip()
    )
