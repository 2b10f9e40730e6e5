"""Problems in the values, and the error that reports all of them together."""

from dataclasses import dataclass

from ..errors import UserError

Path = tuple[str | int, ...]
"""Keys and list positions from the top of the values to a value."""

Fault = tuple[Path, str]
"""The path of a wrong setting, and a message with the remedy."""


def dotted(path: Path) -> str:
    """`("airflow", "apiServer")` as `airflow.apiServer`."""
    return ".".join(str(part) for part in path)


@dataclass(frozen=True, order=True)
class Problem:
    """A mistake: its location, and a message with the remedy. `line` is from 1; 0: unknown."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        location = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (location, self.path, self.message) if part)


class SettingsError(UserError):
    """The values cannot be used. `problems` is never empty. Nothing has been touched yet."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        count = len(self.problems)
        head = f"{count} problem{'s' if count > 1 else ''} in the values; nothing was changed:"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))
