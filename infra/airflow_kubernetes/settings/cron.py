"""The schedules that a CronJob takes: cron's five fields.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
"""

import re

FORM = 'five fields, minute hour day month weekday, such as "0 2 * * *" or "*/30 * * * 1-5"'

_NUMBERS = (
    r"[0-5]?[0-9]",
    r"[01]?[0-9]|2[0-3]",
    r"0?[1-9]|[12][0-9]|3[01]",
    r"0?[1-9]|1[0-2]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec",
    r"[0-6]|sun|mon|tue|wed|thu|fri|sat",
)


def _field(number: str) -> re.Pattern[str]:
    """A list of numbers, ranges or `*`, each with a step if wanted: `1,5-10/2,*/15`."""
    item = rf"(\*|({number})(-({number}))?)(/[1-9][0-9]*)?"
    return re.compile(rf"{item}(,{item})*", re.IGNORECASE)


_FIELDS = tuple(map(_field, _NUMBERS))


def is_schedule(text: str) -> bool:
    """Whether `text` is five fields, each with numbers that it may have."""
    fields = text.split()
    return len(fields) == len(_FIELDS) and all(
        pattern.fullmatch(field) for pattern, field in zip(_FIELDS, fields, strict=True)
    )
