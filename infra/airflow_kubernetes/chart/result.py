"""What a conversion gives: values of this program, and a line for what is not simply among them."""

from dataclasses import dataclass, field
from typing import Any

Path = tuple[str, ...]
"""Keys from the top of a values file."""


@dataclass(frozen=True, order=True)
class Note:
    """What became of a chart's key, at `line` of its file."""

    line: int
    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.line}: {self.key}: {self.text}"


@dataclass
class Result:
    """`values` as in values/common.yaml, `sources` the chart's key of each of them."""

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[Path, str] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def set(self, path: str, value: Any, source: str) -> None:
        """Put a value at a dotted path. Mappings are merged, lists are added to what is there."""
        *above, last = path.split(".")
        section = self.values
        for key in above:
            section = section.setdefault(key, {})
        before = section.get(last)
        if isinstance(before, dict) and isinstance(value, dict):
            value = before | value
        elif isinstance(before, list) and isinstance(value, list):
            value = [*before, *(item for item in value if item not in before)]
        section[last] = value
        self.sources[tuple(path.split("."))] = source

    def note(self, source: str, text: str) -> None:
        """Say what became of a chart's key."""
        self.notes.append((source, text))

    def remove(self, path: Path) -> str | None:
        """Take back the value at a path, or the nearest one above it; returns the chart's key."""
        for length in range(len(path), 0, -1):
            if _pop(self.values, path[:length]):
                return self._source(path)
        return None

    def _source(self, path: Path) -> str:
        for length in range(len(path), 0, -1):
            if (source := self.sources.get(path[:length])) is not None:
                return ".".join((source, *path[length:]))
        below = (source for place, source in self.sources.items() if place[: len(path)] == path)
        return next(below, ".".join(path))


def _pop(values: Any, path: Path) -> bool:
    """Remove the value at a path, and sections that are empty then; False if there is none."""
    key, *rest = path
    if not isinstance(values, dict) or key not in values:
        return False
    if not rest:
        del values[key]
        return True
    if not _pop(values[key], tuple(rest)):
        return False
    if values[key] == {}:
        del values[key]
    return True
