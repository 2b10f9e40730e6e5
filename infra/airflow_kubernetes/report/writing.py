"""Markdown in which whatever comes from the repository is inert.

A fork's pull request decides about names and values. In code spans and fences GitHub renders no
HTML, links, mentions or references; so all of it stands in those, and nothing can end them.
"""

import html
import re
import unicodedata
from collections.abc import Iterable

LONGEST = 240
"""Characters of a value in the short report."""

RUNS = re.compile("`+")


def visible(text: str) -> str:
    """The text with what cannot be seen, or turns the order of letters around, as its number."""
    return "".join(
        f"\\u{{{ord(letter):x}}}"
        if unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
        and letter not in "\n\t"
        else letter
        for letter in text
    )


def code(text: str, *, cell: bool = False) -> str:
    """A code span on one line that holds any text; in a table's cell bars are escaped."""
    text = visible(text.replace("\n", "⏎")).replace("\t", "→") or " "
    ticks = "`" * (max(map(len, RUNS.findall(text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") or text != text.strip() else ""
    span = f"{ticks}{pad}{text}{pad}{ticks}"
    return span.replace("|", "\\|") if cell else span


def codes(texts: Iterable[str]) -> str:
    """Code spans with commas between them."""
    return ", ".join(map(code, texts))


def html_code(text: str) -> str:
    """The same inside HTML, where Markdown's spans are only backticks."""
    return f"<code>{html.escape(visible(text.replace(chr(10), '⏎')))}</code>"


def fence(text: str, language: str = "") -> str:
    """A fenced block that holds any text."""
    text = visible(text)
    ticks = "`" * max(3, max(map(len, RUNS.findall(text)), default=0) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def around(old: str, new: str, limit: int = LONGEST) -> tuple[str, str]:
    """Both texts, of long ones the part in which they differ."""
    if max(len(old), len(new)) <= limit:
        return old, new
    same = next(
        (index for index, (a, b) in enumerate(zip(old, new, strict=False)) if a != b),
        min(len(old), len(new)),
    )
    start = max(0, same - limit // 4)
    return _part(old, start, limit), _part(new, start, limit)


def clipped(text: str, lines: int, limit: int) -> str:
    """The first lines of a text, and how many more there are."""
    kept = text.splitlines()
    short = "\n".join(kept[:lines])[:limit]
    left = len(kept) - len(short.splitlines())
    return text if short == text else f"{short}\n… {left} more lines" if left else f"{short}…"


def plural(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _part(text: str, start: int, limit: int) -> str:
    end = start + limit
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
