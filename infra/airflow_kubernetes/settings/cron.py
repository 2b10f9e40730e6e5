"""Schedules that a CronJob accepts.

Source: ParseStandard of https://github.com/robfig/cron (v3), by which the API server checks them.
"""

import re

from pydantic_core import PydanticCustomError

FORM = (
    'five fields (minute, hour, day, month, weekday), such as "0 2 * * *" or "*/30 * * * 1-5"; '
    "or @hourly, @daily, @weekly, @monthly, @yearly"
)

_MACROS = {"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"}

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def _numbers(lowest: int, highest: int, names: tuple[str, ...] = ()) -> dict[str, int]:
    """Each number of a field by its spellings: digits without leading zeros, and its name."""
    numbers = {str(number): number for number in range(lowest, highest + 1)}
    return numbers | {name: number for number, name in enumerate(names, lowest)}


_FIELDS = (
    _numbers(0, 59),
    _numbers(0, 23),
    _numbers(1, 31),
    _numbers(1, 12, _MONTHS),
    _numbers(0, 6, _WEEKDAYS),
)

_ITEM = re.compile(r"(?:[*?]|(\w{1,9})(?:-(\w{1,9}))?)(?:/0*[1-9][0-9]{0,17})?", re.ASCII)
"""All numbers, a number or a range, perhaps with a step. A number with a step is the range from it
to the highest number."""


def is_schedule(text: str) -> bool:
    """Whether the API server accepts the schedule and uses all of it.

    Refused although it accepts them: lists with empty items and ranges from `*`, because it ignores
    these parts (`,` alone never runs); and `@every`, which Kubernetes does not document.
    """
    if text.startswith("@"):
        return text in _MACROS
    fields = text.split()
    return len(fields) == len(_FIELDS) and all(
        _accepts(numbers, item)
        for numbers, field in zip(_FIELDS, fields, strict=True)
        for item in field.split(",")
    )


def checked(text: str) -> str:
    """The schedule itself. Raises a pydantic error for text that is none."""
    if not is_schedule(text):
        raise PydanticCustomError("schedule", f"should be a schedule: {FORM}")
    return text


def _accepts(numbers: dict[str, int], item: str) -> bool:
    match = _ITEM.fullmatch(item)
    if match is None:
        return False
    ends = [
        numbers.get(str(int(end)) if end.isdigit() else end.lower(), -1)
        for end in match.groups()
        if end
    ]
    return -1 not in ends and ends == sorted(ends)
