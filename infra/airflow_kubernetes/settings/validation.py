"""What pydantic has against some data, as messages for whoever wrote the file."""

import difflib
from collections.abc import Iterator
from typing import get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from .fields import Section
from .marks import PerEnvironment
from .problems import Path


def wrong_values(error: ValidationError, root: type[Section]) -> Iterator[tuple[Path, str]]:
    """Each wrong value of a `root` once, as its path and what to do about it.

    Pydantic adds the members of a union to a path; they are no keys.
    """
    unions = ("str", "int", "float", "bool")
    found: dict[Path, list[str]] = {}
    for detail in error.errors(include_url=False):
        path = detail["loc"]
        message = detail["msg"]
        if detail["type"] == "extra_forbidden":
            message = f"unknown key{_nearest(str(path[-1]), _keys_at(path[:-1], root))}"
        elif detail["type"] == "missing":
            message = "missing; values/common.yaml holds every setting"
        else:
            if path[-1] in unions or path[-1] == "[key]":
                path = path[:-1]
            message = f"{message[0].lower()}{message[1:]}, not {detail['input']!r}"
            if detail["type"] == "string_type" and isinstance(detail["input"], int | float):
                message += f' (write "{detail["input"]}")'
        found.setdefault(path, []).append(message)
    for path, messages in found.items():
        yield path, "; or ".join(messages)


def fields(section: type[Section]) -> dict[str, FieldInfo]:
    """A section's fields by the key that a values file uses."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def section_of(field: FieldInfo) -> type[Section] | None:
    """The section that the field holds, if it holds one."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def sections_of(field: FieldInfo) -> type[Section] | None:
    """The section that the field holds any number of, by names of the user's choice."""
    return _of_items(field) if get_origin(field.annotation) is dict else None


def mark_of(field: FieldInfo) -> PerEnvironment | None:
    """The field's mark, if environments may differ in it."""
    return next((item for item in field.metadata if isinstance(item, PerEnvironment)), None)


def _of_items(field: FieldInfo) -> type[Section] | None:
    """The section that is each item of the field's mapping or list."""
    kind = (get_args(field.annotation) or (None,))[-1]
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def _keys_at(path: Path, root: type[Section]) -> list[str]:
    section: type[Section] | None = root
    item = False  # whether the next part of the path is an item's name or number
    for part in path:
        if item:
            item = False
            continue
        field = fields(section).get(str(part)) if section else None
        if field is None:
            return []
        item = _of_items(field) is not None
        section = section_of(field) or _of_items(field)
    return list(fields(section)) if section and not item else []


def _nearest(wrong: str, right: list[str]) -> str:
    near = difflib.get_close_matches(wrong, right, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known here: {', '.join(right)}" if right else ""
