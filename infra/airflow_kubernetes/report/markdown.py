"""The report in Markdown, written by report.md.j2, and short enough for a comment.

A fork's pull request decides about names and values. So the template writes every plain string as a
code span, in which GitHub renders no HTML, link, mention or reference; only `Own` strings, the
program's own words, are written as Markdown.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from itertools import takewhile
from operator import attrgetter
from typing import Any

import jinja2
from markupsafe import Markup

from ..settings.stack_file import ENCRYPTION
from .model import Environment, Field, ObjectChange, Report, Severity
from .objects import outcomes

MARKER = "<!-- airflow-kubernetes-preview -->"
"""The first line, by which the comment of a pull request is found again."""

LIMIT = 58_000
"""Bytes, so characters too: GitHub takes 65,536, and the comment's poster adds lines."""

MARKS = dict(zip(Severity, "⚪🔵🟡🔴⛔", strict=True))
NAMED = 8
"""How many names a sentence has."""

REPEATED = 3
"""A field that changes in the same way in so many places is written once."""

Names = tuple[str, ...]
Block = tuple[str, tuple[Field, ...], str]
"""An outcome, changed fields, and the content of a created object."""


class Own(Markup):
    """The program's own words."""


@dataclass(frozen=True)
class Limits:
    """How many items of a list are shown; of an object how many fields, and of a text how many
    lines, and characters of a line.
    """

    items: int
    fields: int = 25
    lines: int = 30
    width: int = 240


def full(report: Report) -> str:
    """All of the report, however long."""
    return _write(report, Limits(*[10**9] * 4))


def short(report: Report) -> tuple[str, bool]:
    """The report in at most LIMIT bytes, and whether it is complete.

    As many items of each list are shown as fit; each list says what is missing.
    """
    items = 1000
    while (size := len((text := _write(report, Limits(items))).encode())) > LIMIT and items:
        items = int(items * min(0.5, LIMIT / size))
    return text, text == full(report)


def _write(report: Report, limits: Limits) -> str:
    return _template().render(report=report, limits=limits)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__ or "", ""),
        autoescape=True,
        finalize=lambda value: value if isinstance(value, int | Markup) else code(str(value)),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    filters = (
        around, cell, codes, common, counted, details, fence, outcomes, plural, shared, verdict,
    )  # fmt: skip
    environment.filters |= {function.__name__: function for function in filters} | {"own": Own}
    environment.globals |= {"ENCRYPTION": ENCRYPTION, "MARKER": MARKER, "MARKS": MARKS}
    return environment.get_template("report.md.j2")


def code(text: str) -> Own:
    """A code span on one line that holds any text."""
    text = visible(text.replace("\n", "⏎")).replace("\t", "→") or " "
    ticks = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") or text != text.strip() else ""
    return Own(f"{ticks}{pad}{text}{pad}{ticks}")


def cell(text: str) -> Own:
    """A code span in a table, where a bar ends the cell."""
    return Own(code(text).replace("|", "\\|"))


def codes(texts: Iterable[str], limit: int = NAMED, form: str = "{}") -> Own:
    """The first texts as code spans with commas between them, and how many more there are."""
    spans = [code(form.format(text)) for text in texts]
    more = f" and {len(spans) - limit} more" if len(spans) > limit else ""
    return Own(", ".join(spans[:limit]) + more)


def fence(text: str, limits: Limits, language: str = "") -> Own:
    """A fenced block that holds any text: its first lines, and how many more there are."""
    width, lines = 4 * limits.width, visible(text).splitlines()
    shown = [line if len(line) <= width else f"{line[:width]}…" for line in lines[: limits.lines]]
    more = [f"… {len(lines) - len(shown)} more lines"] if len(lines) > len(shown) else []
    ticks = "`" * max(3, max(map(len, re.findall("`+", text)), default=0) + 1)
    return Own("\n".join([f"{ticks}{language}", *shown, *more, ticks]))


def visible(text: str) -> str:
    """The text with numbers for letters that are invisible, or reverse the order of others."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else f"\\u{{{ord(letter):x}}}"
        for letter in text
    )


def plural(number: int, noun: str) -> Own:
    """`1 file`, `2 files`."""
    return Own(f"{number} {noun}" if number == 1 else f"{number} {noun}s")


def around(field: Field, width: int) -> list[str | None]:
    """Both values; of long ones the part in which they differ."""
    values = (field.old, field.new)
    old, new = (value or "" for value in values)
    equal = takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False))
    start = max(0, len([*equal]) - width // 4) if max(len(old), len(new)) > width else 0
    end = start + width
    return [
        value and f"{'…' if start else ''}{value[start:end]}{'…' if value[end:] else ''}"
        for value in values
    ]


def grouped(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    """The second parts of pairs by the first."""
    groups: dict[Any, list[Any]] = {}
    for key, item in pairs:
        groups.setdefault(key, []).append(item)
    return groups


def verdict(environments: Iterable[Environment]) -> Own:
    """What happens to the environments, the gravest first; those alike together."""
    alike = grouped((each.summary, each.name) for each in environments)
    parts = [f"{codes(names)}: {summary}" for summary, names in alike.items()]
    more = [f"and {len(parts) - NAMED} more"] if len(parts) > NAMED else []
    return Own("; ".join([*parts[:NAMED], *more]) or "no environment")


def common(environments: Iterable[Environment], attribute: str) -> list[tuple[Names, list[Any]]]:
    """Each item of the environments' lists once, by all that have it; the most names first."""
    owners = grouped(
        (item, environment.name)
        for environment in environments
        for item in dict.fromkeys(attrgetter(attribute)(environment))
    )
    groups = grouped((tuple(sorted(names)), item) for item, names in owners.items())
    return sorted(groups.items(), key=lambda group: (-len(group[0]), group[0]))


def shared(environments: Iterable[Environment], attribute: str) -> list[tuple[Names, Any, Names]]:
    """Each item of the environments' lists once: in which environments, about which objects."""
    result = []
    for names, items in common(environments, attribute):
        objects = grouped(
            (replace(item, kind="", name=""), f"{item.kind}/{item.name}")
            if getattr(item, "kind", "")
            else (item, "")
            for item in items
        )
        result += [(names, item, tuple(filter(None, about))) for item, about in objects.items()]
    return result


def counted(changes: Iterable[ObjectChange]) -> Own:
    """`2 changed, 1 created`."""
    return Own(", ".join(f"{count} {outcome}" for outcome, count in outcomes(changes).items()))


def details(
    changes: Iterable[ObjectChange],
) -> tuple[dict[Block, list[str]], dict[Field, list[str]]]:
    """What happens to which objects; and the fields that are repeated in many, with those."""
    counts = Counter(replace(field, path="") for change in changes for field in change.fields)
    blocks: dict[Block, list[str]] = {}
    repeated: dict[Field, list[str]] = {}
    for change in changes:
        name, own = f"{change.kind}/{change.name}", []
        for field in change.fields:
            key = replace(field, path="")
            if counts[key] >= REPEATED and field.diff is None and not field.effect:
                repeated.setdefault(key, []).append(name)
            else:
                own.append(field)
        if own or not change.fields:
            blocks.setdefault((change.outcome, tuple(own), change.content), []).append(name)
    return blocks, repeated
