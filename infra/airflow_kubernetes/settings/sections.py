"""Sections of a kind, and the objects that they name, wherever they are in the settings."""

from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic.alias_generators import to_camel

from .fields import Section
from .problems import Path

S = TypeVar("S", bound=Section)

KINDS = {
    "secret": "Secret",
    "image_pull_secrets": "Secret",
    "node_publish_secret_ref": "Secret",
    "config_map": "ConfigMap",
    "claim": "PersistentVolumeClaim",
}
"""Kinds of objects outside this program, by the fields that name one or several."""


def sections(kind: type[S], value: Any, path: Path = ()) -> Iterator[tuple[Path, S]]:
    """Path and value of each section of a kind in `value`, itself and those in others of the kind
    included.
    """
    if isinstance(value, kind):
        yield path, value
    for key, child in _children(value):
        yield from sections(kind, child, (*path, key))


def named(value: Any, path: Path = ()) -> Iterator[tuple[Path, str, str]]:
    """Path, kind and name of each object outside this program that is named in `value`."""
    if isinstance(value, Section):
        for field, kind in KINDS.items():
            names = getattr(value, field, None)
            place = (*path, to_camel(field))
            if isinstance(names, str):
                yield place, kind, names
            elif isinstance(names, list):
                yield from (((*place, index), kind, name) for index, name in enumerate(names))
    for key, child in _children(value):
        yield from named(child, (*path, key))


def _children(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, Section):
        for name, child in value:
            yield type(value).model_fields[name].alias or name, child
    elif isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)
