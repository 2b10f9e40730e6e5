"""Schedules that a CronJob accepts.

Source: ParseStandard of https://github.com/robfig/cron (v3), by which the API server checks them.
"""

import re

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


_FIELDS = {
    "minute": _numbers(0, 59),
    "hour": _numbers(0, 23),
    "day": _numbers(1, 31),
    "month": _numbers(1, 12, _MONTHS),
    "weekday": _numbers(0, 6, _WEEKDAYS),
}

_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Days of the months."""

_ITEM = re.compile(r"(?:[*?]|(\w{1,9})(?:-(\w{1,9}))?)(?:/(0*[1-9][0-9]{0,17}))?", re.ASCII)
"""All numbers, a number or a range, perhaps with a step. A number with a step is the range from it
to the highest number."""


def problem(text: str) -> str | None:
    """What is wrong with a schedule, in words; None if the API server accepts and uses all of it.

    Refused although it accepts them: lists with empty items and ranges from `*`, because it ignores
    these parts (`,` alone never runs); days that no month has; and `@every`, which Kubernetes does
    not document.
    """
    fields = text.split()
    if text in _MACROS:
        return None
    if text.startswith("@") or len(fields) != len(_FIELDS):
        return f"should be a schedule: {FORM}"
    chosen = []
    for (name, numbers), field in zip(_FIELDS.items(), fields, strict=True):
        parts = [_chosen(numbers, item) for item in field.split(",")]
        if not all(parts):
            wrong = field.split(",")[parts.index(set())][:20]
            return f"should be a schedule: {wrong!a} is no {name} ({_form(numbers)})"
        chosen.append(set().union(*parts))
    _, _, days, months, _ = chosen
    # Where both are given, a day counts if its number or its weekday matches.
    if {"*", "?", "*/1", "?/1"} & {*fields[4].split(",")} and min(days) > max(
        _DAYS[month - 1] for month in months
    ):
        return "should be a schedule that comes: none of its months has such a day"
    return None


def _form(numbers: dict[str, int]) -> str:
    """In words."""
    low, *_, high = sorted(set(numbers.values()))
    names = [text for text in numbers if text.isalpha()]
    spelled = f" or {names[0]} to {names[-1]}" if names else ""
    return f"{low} to {high}{spelled}; a range goes upwards, a step is 1 or more"


def _chosen(numbers: dict[str, int], item: str) -> set[int]:
    """The numbers that an item of a field means; none if it is wrong."""
    match = _ITEM.fullmatch(item)
    if match is None:
        return set()
    low, high = (_number(numbers, end) for end in match.groups()[:2])
    if -1 in (low, high):
        return set()
    step = int(match[3] or 1)
    if low is None:
        low, high = min(numbers.values()), max(numbers.values())
    elif high is None:
        high = max(numbers.values()) if match[3] else low
    return set(range(low, high + 1, step))


def _number(numbers: dict[str, int], end: str | None) -> int | None:
    """The number that an end of a range spells, -1 for none such; None if there is no end."""
    if end is None:
        return None
    return numbers.get(str(int(end)) if end.isdigit() else end.lower(), -1)
