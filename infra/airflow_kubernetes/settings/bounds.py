"""The fields in which environments may differ, and how far."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .fields import Section
from .marks import PerEnvironment
from .problems import Path
from .quantities import amount
from .schema import Settings
from .validation import fields, mark_of, section_of, sections_of


@dataclass(frozen=True)
class Marked:
    """A per-environment field: where it stands in the values, its mark, and its bounds in words."""

    path: Path
    mark: PerEnvironment
    section: type[Section]

    @property
    def bounds(self) -> str:
        """What values an environment may give it, as its type, its mark or both say."""
        if self.mark.bounds is not None:
            return self.mark.bounds
        schema = self.section.model_json_schema()
        own = schema["properties"][str(self.path[-1])]
        if self.mark.times is not None and own.get("type") != "integer":
            return f"1/{self.mark.times} to {self.mark.times} times common's"
        return _said(own, schema.get("$defs", {}))


def marked(
    data: Mapping[str, Any], section: type[Section] = Settings, path: Path = ()
) -> Iterator[Marked]:
    """Every per-environment field. `data` is plain settings, which name the sets of workers."""
    for key, field in fields(section).items():
        here, value = (*path, key), data.get(key)
        mark = mark_of(field)
        if mark is not None:
            yield Marked(here, mark, section)
        elif (inner := section_of(field)) is not None:
            yield from marked(value or {}, inner, here)
        elif (inner := sections_of(field)) is not None:
            for name, one in (value or {}).items():
                yield from marked(one, inner, (*here, name))


def plain(settings: Settings) -> dict[str, Any]:
    """Settings as a values file has them."""
    return settings.model_dump(by_alias=True)


def at(data: Any, path: Path) -> Any:
    """The value at `path`; None where there is none."""
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def beyond(settings: Settings, common: Settings) -> Iterator[tuple[Path, str]]:
    """Path and message of every quantity that is too far from common's."""
    ours, theirs = plain(settings), plain(common)
    for field in marked(ours):
        if field.mark.times is not None:
            one, other = at(ours, field.path), at(theirs, field.path)
            yield from _beyond(one, other, field.mark.times, field.path)


def _beyond(ours: Any, common: Any, times: int, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(ours, dict) and isinstance(common, dict):
        for key, value in ours.items():
            yield from _beyond(value, common.get(key), times, (*path, key))
    elif isinstance(ours, str) and isinstance(common, str):
        least, most = amount(common) / times, amount(common) * times
        if not least <= amount(ours) <= most:
            yield (
                path,
                f"{ours} is out of bounds, 1/{times} to {times} times common's {common}; "
                "take one within, or change common's if all environments have grown",
            )


def _said(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    """A JSON schema in words, as short as can be."""
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return " or ".join(_said(one, defs) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    match schema.get("type"):
        case "null":
            return "null"
        case "boolean":
            return "true or false"
        case "integer":
            return f"{schema['minimum']} to {schema['maximum']}"
        case "array":
            return f"any of [{_said(schema['items'], defs)}]"
        case "object" if "properties" in schema:
            return f"by the keys {', '.join(schema['properties'])}"
        case "object":
            names = next(iter(schema.get("patternProperties", ())), "…")
            return f"by names as {names}"
    return f"as {schema['pattern']}"
