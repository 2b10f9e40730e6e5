"""What git and git-sync accept: what is wrong with a text, in words; None if nothing is."""

import re

from .texts import expanded

_REFUSED = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|//|@\{")


def ref(text: str) -> str | None:
    """A branch, tag or commit. Source: https://git-scm.com/docs/git-check-ref-format

    Nor may it begin with -, which would make an option of it.
    """
    form = "should be a branch, tag or commit"
    if not text or text == "@" or text.startswith("-"):
        return f"{form}, which does not begin with - and is not @"
    if (match := _REFUSED.search(text)) is not None:
        shown = match[0] if match[0].isprintable() and match[0] != " " else "spaces or line breaks"
        return f"{form}; git allows no {shown} in it"
    if text.startswith("/") or text.endswith(("/", ".")):
        return f"{form} without / at its ends and . at its end"
    if any(part.startswith(".") or part.endswith(".lock") for part in text.split("/")):
        return f"{form}; none of its parts may begin with . or end in .lock"
    return expanded(text)


def folder(text: str) -> str | None:
    """A folder of a repository; `.` is all of it."""
    form = "should be a path inside the repository, such as dags, or . for all of it"
    if text == ".":
        return None
    if text.startswith(("/", "-", "~")) or not text.isprintable() or "\\" in text or "$" in text:
        return f"{form}: it does not begin with /, - or ~, and has no backslash and no $"
    if {"", ".", "..", ".git"} & {*text.lower().split("/")}:
        return f"{form}: names with one slash between them, and none of them ., .. or .git"
    return None
