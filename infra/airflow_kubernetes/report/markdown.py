"""The report in Markdown, written by report.md.j2, and short enough for a comment.

A fork's pull request decides about names and values. So the template writes every plain string as a
code span, in which GitHub renders no HTML, link, mention or reference; only `Own` strings, the
program's own words, are written as Markdown.
"""

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from operator import attrgetter
from typing import Any

import jinja2
from markupsafe import Markup

from .model import Environment, Field, ObjectChange, Report, Severity
from .objects import outcomes
from .stack_config import ENCRYPTION

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
    """How many items of a list are shown, and changed objects of an environment; of an object how
    many fields, and of a text how many lines, and characters of a line.
    """

    items: int
    objects: int
    fields: int = 25
    lines: int = 30
    width: int = 240


def full(report: Report) -> str:
    """All of the report, however long."""
    return _write(report, Limits(*[10**9] * 5))


def short(report: Report) -> tuple[str, bool]:
    """The report in at most LIMIT bytes, and whether it is complete.

    First fewer objects are shown, then fewer items of all lists; each list says what is missing.
    """
    limits = Limits(items=1000, objects=1000)
    while (size := len((text := _write(report, limits)).encode())) > LIMIT and limits.items:
        part = "objects" if limits.objects else "items"
        fitting = int(getattr(limits, part) * min(0.5, LIMIT / size))
        limits = replace(limits, **{part: fitting})
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


class _Visible(dict[int, int | str]):
    """For str.translate: numbers for letters that are invisible, or reverse the order of others."""

    def __missing__(self, letter: int) -> int | str:
        invisible = unicodedata.category(chr(letter)) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
        self[letter] = f"\\u{{{letter:x}}}" if invisible and chr(letter) not in "\n\t" else letter
        return self[letter]


_VISIBLE = _Visible()


def visible(text: str) -> str:
    """The text with numbers for letters that a reader would not see."""
    return text.translate(_VISIBLE)


def plural(number: int, noun: str) -> Own:
    """`1 file`, `2 files`."""
    return Own(f"{number} {noun}" if number == 1 else f"{number} {noun}s")


def around(field: Field, width: int) -> list[str | None]:
    """Both values; of long ones the part in which they differ."""
    values = (field.old, field.new)
    old, new = (value or "" for value in values)
    equal = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False))
    start = max(0, len([*equal]) - width // 4) if max(len(old), len(new)) > width else 0
    end = start + width
    return [
        value and f"{'…' if start else ''}{value[start:end]}{'…' if value[end:] else ''}"
        for value in values
    ]


def verdict(environments: Iterable[Environment]) -> Own:
    """What happens to the environments, the gravest first; those alike together."""
    names: dict[str, list[str]] = {}
    for environment in environments:
        names.setdefault(environment.summary, []).append(environment.name)
    parts = [f"{codes(alike)}: {summary}" for summary, alike in names.items()]
    more = [f"and {len(parts) - NAMED} more"] if len(parts) > NAMED else []
    return Own("; ".join([*parts[:NAMED], *more]) or "no environment")


def common(environments: Iterable[Environment], attribute: str) -> list[tuple[Names, list[Any]]]:
    """Each item of the environments' lists once, by all that have it; the most names first."""
    owners: dict[Any, list[str]] = {}
    for environment in environments:
        for item in dict.fromkeys(attrgetter(attribute)(environment)):
            owners.setdefault(item, []).append(environment.name)
    groups: dict[Names, list[Any]] = {}
    for item, names in owners.items():
        groups.setdefault(tuple(sorted(names)), []).append(item)
    return sorted(groups.items(), key=lambda group: (-len(group[0]), group[0]))


def shared(environments: Iterable[Environment], attribute: str) -> list[tuple[Names, Any, Names]]:
    """Each item of the environments' lists once: in which environments, about which objects."""
    result = []
    for names, items in common(environments, attribute):
        objects: dict[Any, list[str]] = {}
        for item in items:
            about = [f"{item.kind}/{item.name}"] if getattr(item, "kind", "") else []
            bare = replace(item, kind="", name="") if about else item
            objects.setdefault(bare, []).extend(about)
        result += [(names, item, tuple(about)) for item, about in objects.items()]
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
