"""What is wrong with the values, all of it at once."""

from dataclasses import dataclass

from ..errors import UserError

Path = tuple[str | int, ...]
"""Keys and list positions from the top of the values to one of them."""

Fault = tuple[Path, str]
"""Where a setting is wrong, and what is wrong with it, the remedy included."""


def dotted(path: Path) -> str:
    """`("airflow", "apiServer")` as `airflow.apiServer`."""
    return ".".join(str(part) for part in path)


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake: where it stands, what it is and how to mend it. `line` counts from 1."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class SettingsError(UserError):
    """The values cannot be used; `problems` is never empty. Nothing has been touched yet."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        count = len(self.problems)
        head = f"{count} problem{'s' if count > 1 else ''} in the values; nothing was changed:"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))
