"""The fields in which environments may differ, and the bounds of their values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo

from .fields import Section
from .marks import PerEnvironment
from .problems import Fault, Path
from .quantities import amount
from .schema import Settings
from .validation import fields, mark_of, section_of, sections_of


@dataclass(frozen=True)
class Marked:
    """A field in which environments may differ: its path and its mark."""

    path: Path
    mark: PerEnvironment


def marked(data: Mapping[str, Any]) -> Iterator[Marked]:
    """Every field of plain settings in which environments may differ."""
    for path, field in assigned(data):
        if (mark := mark_of(field)) is not None:
            yield Marked(path, mark)


def assigned(
    data: Mapping[str, Any], section: type[Section] = Settings, path: Path = ()
) -> Iterator[tuple[Path, FieldInfo]]:
    """Path and field of each setting in `data`: each marked field, else each leaf.

    Unknown keys, and sections that are no mappings, are skipped.
    """
    for key, value in data.items():
        field = fields(section).get(key)
        if field is None:
            continue
        field_path = (*path, key)
        if mark_of(field) is None:
            if (inner := section_of(field)) is not None:
                if isinstance(value, dict):
                    yield from assigned(value, inner, field_path)
                continue
            if (inner := sections_of(field)) is not None:
                for name, child in value.items() if isinstance(value, dict) else ():
                    if isinstance(child, dict):
                        yield from assigned(child, inner, (*field_path, name))
                continue
        yield field_path, field


def plain(settings: Settings) -> dict[str, Any]:
    """Settings as a values file has them."""
    return settings.model_dump(by_alias=True)


def at(data: Any, path: Path) -> Any:
    """The value at `path`; None if there is none."""
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def out_of_bounds(settings: Settings, common: Settings) -> Iterator[Fault]:
    """Path and message of every quantity that is too far from common's."""
    data, base = plain(settings), plain(common)
    for field in marked(data):
        path, times = field.path, field.mark.times
        if times is not None:
            yield from _too_far(at(data, path), at(base, path), times, path)


def _too_far(value: Any, common: Any, times: int, path: Path) -> Iterator[Fault]:
    if isinstance(value, dict) and isinstance(common, dict):
        for key, child in value.items():
            yield from _too_far(child, common.get(key), times, (*path, key))
    elif isinstance(value, str) and isinstance(common, str):
        least, most = amount(common) / times, amount(common) * times
        if not least <= amount(value) <= most:
            yield (
                path,
                f"{value} is out of bounds, 1/{times} to {times} times common's {common}; "
                "set a value within them, or change common's if all environments have grown",
            )
