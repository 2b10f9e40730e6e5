"""Problems in the values, and the error that reports all of them together."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import UserError

Path = tuple[str | int, ...]
"""Keys and list positions from the top of the values to a value."""

Fault = tuple[Path, str]
"""The path of a wrong setting, and a message with the remedy."""

LONGEST_PATH, LONGEST_MESSAGE = 160, 600
"""Characters that a problem shows of a path and of a message."""


def dotted(path: Path) -> str:
    """`("airflow", "apiServer")` as `airflow.apiServer`."""
    return ".".join(str(part) for part in path)


def printable(text: str, length: int) -> str:
    """The text on one line of up to about `length` characters, for a terminal.

    Characters that a terminal does not show, or obeys, are written as in Python's source. What is
    too long loses its middle, because the end of a message has the remedy.
    """
    if len(text) > length:
        text = f"{text[: length * 2 // 3]}…{text[-length // 3 :]}"
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


@dataclass(frozen=True, order=True)
class Problem:
    """A mistake: its location, and a message with the remedy. `line` is from 1; 0: unknown."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        file, path = printable(self.file, LONGEST_PATH), printable(self.path, LONGEST_PATH)
        location = f"{file}:{self.line}" if self.line else file
        message = printable(self.message, LONGEST_MESSAGE)
        return ": ".join(part for part in (location, path, message) if part)


def listed(problems: Iterable[Problem]) -> list[str]:
    """Each problem once, on an indented line, by file and line."""
    return [f"  {problem}" for problem in sorted(set(problems))]


class SettingsError(UserError):
    """The values cannot be used. `problems` is never empty. Nothing has been touched yet."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        count = len(self.problems)
        head = f"{count} problem{'s' if count > 1 else ''} in the values; nothing was changed:"
        super().__init__("\n".join([head, *listed(self.problems)]))
