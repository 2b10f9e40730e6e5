"""The schema as data: its fields, sections and marks; and pydantic's errors as messages."""

import difflib
import re
from collections.abc import Iterator
from typing import get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from .fields import FORMS, Section
from .marks import PerEnvironment
from .problems import Path

LOGIN = re.compile(r"""(?<=//)[^\s/'"]+(?=@)|[^\s/'"@:]+:[^\s'"@]+(?=@(?!sha256:))""")
"""User and password before a host; no message shows them."""

_NO_KEYS = ("str", "int", "float", "bool", "[key]")
"""Parts that pydantic adds to a path: the members of a union; a key, as opposed to its value."""


def wrong_values(error: ValidationError, root: type[Section]) -> Iterator[tuple[Path, str]]:
    """Path and message, with the remedy, of each wrong value of a `root`; each path once."""
    messages: dict[Path, list[str]] = {}
    for detail in error.errors(include_url=False):
        path = detail["loc"]
        if detail["type"] == "extra_forbidden":
            message = f"unknown key{nearest(str(path[-1]), _keys_at(path[:-1], root))}"
        elif detail["type"] == "missing":
            message = "missing; values/common.yaml holds every setting"
        else:
            path = path[:-1] if path[-1] in _NO_KEYS else path
            message = _wrong_value(detail)
        messages.setdefault(path, []).append(message)
    for path, texts in messages.items():
        yield path, "; or ".join(texts)


def _wrong_value(detail: ErrorDetails) -> str:
    value, message = detail["input"], detail["msg"]
    if (words := FORMS.get(detail.get("ctx", {}).get("pattern", ""))) is not None:
        message = f"should be {words}"
    message = f"{message[0].lower()}{message[1:]}, not {LOGIN.sub('[login]', repr(value))}"
    if detail["type"] == "string_type" and isinstance(value, int | float):
        message += f' (write "{value}")'
    return message


def fields(section: type[Section]) -> dict[str, FieldInfo]:
    """A section's fields by their keys in a values file."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def section_of(field: FieldInfo) -> type[Section] | None:
    """The section that the field holds; None if it holds none."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def sections_of(field: FieldInfo) -> type[Section] | None:
    """The section in a mapping from names that the user chooses; None if it is no such mapping."""
    return _of_items(field) if get_origin(field.annotation) is dict else None


def mark_of(field: FieldInfo) -> PerEnvironment | None:
    """The field's mark; None if the field is the same in every environment."""
    return next((item for item in field.metadata if isinstance(item, PerEnvironment)), None)


def _of_items(field: FieldInfo) -> type[Section] | None:
    """The section that each item of the field's mapping or list is."""
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


def nearest(wrong: str, right: list[str]) -> str:
    """What may be meant by a wrong name, as the end of a message: `; did you mean …?`."""
    near = difflib.get_close_matches(wrong, right, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known: {', '.join(right)}" if right else ""
