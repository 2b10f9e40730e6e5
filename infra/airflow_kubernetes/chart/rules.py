"""Rules that the tables of keys are made of, and how a values file is walked by them."""

import difflib
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from .pods import Rule
from .result import Result

TEMPLATE = "a template of Helm: write what it becomes"

Table = dict[str, Rule]
"""Rules by dotted key, relative to the part of the file that the table is for."""


def to(*paths: str, change: Callable[[Any], Any] | None = None) -> Rule:
    """The value is that of these settings, perhaps changed."""

    def rule(result: Result, source: str, value: Any) -> None:
        for path in paths:
            given = value if change is None else change(value)
            result.set(path, deepcopy(given), source)

    return rule


def says(text: str) -> Rule:
    """Nothing is set; the text says why, or what to do."""

    def rule(result: Result, source: str, _: Any) -> None:
        result.note(source, text)

    return rule


def unless(default: Any, text: str) -> Rule:
    """As `says`, if the value is another than this program's only one."""

    def rule(result: Result, source: str, value: Any) -> None:
        if value != default:
            result.note(source, text)

    return rule


def each(*rules: Rule) -> Rule:
    """Several rules for one key."""

    def rule(result: Result, source: str, value: Any) -> None:
        for one in rules:
            one(result, source, value)

    return rule


def walk(result: Result, source: str, value: Any, table: Table, key: str = "") -> None:
    """Apply the table to a value of the file, whose place is `source`, or `key` in the table.

    What is empty sets nothing, as in the chart.
    """
    below = f"{key}." if key else ""
    inner = any(known.startswith(below) for known in table)
    empty = value is None or value in ({}, [], "")
    if empty and (key in table or inner):
        return
    if key in table:
        if isinstance(value, str) and value.lstrip().startswith("{{"):
            result.note(source, TEMPLATE)
        else:
            table[key](result, source, value)
        return
    if inner and isinstance(value, Mapping):
        for name, child in value.items():
            place = f"{source}.{name}" if source else str(name)
            walk(result, place, child, table, f"{below}{name}")
        return
    result.note(source, f"no key of the official chart{_nearest(key, table)}")


def _nearest(key: str, table: Table) -> str:
    above, _, last = key.rpartition(".")
    below = f"{above}." if above else ""
    names = {name.removeprefix(below).partition(".")[0] for name in table if name.startswith(below)}
    near = difflib.get_close_matches(last, names, n=1, cutoff=0.7)
    return f"; did you mean {below}{near[0]}?" if near else ""
