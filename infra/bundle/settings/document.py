"""A values document: its plain data and the line on which each value stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import yaml

from .problems import Path, Problem, SettingsError, dotted


@dataclass(frozen=True)
class Document:
    """`data` as YAML's plain types; `lines` maps the path of each value to its line, from 1."""

    file: str
    data: dict[str, Any]
    lines: dict[Path, int]


def read(file: FilePath, shown_as: str) -> Document:
    """Read one values file. Raises SettingsError for a missing file, bad YAML or a doubled key."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except FileNotFoundError:
        raise SettingsError([Problem(shown_as, 0, "", "no such file")]) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise SettingsError([Problem(shown_as, line, "", f"not YAML: {error.problem}")]) from None
    if node is None:
        return Document(shown_as, {}, {(): 1})
    if not isinstance(node, yaml.MappingNode):
        raise SettingsError([Problem(shown_as, 1, "", "must be a mapping of sections")])
    problems = [
        Problem(shown_as, line, dotted(path), "the key stands twice; keep one")
        for path, line in _doubled(node, ())
    ]
    if problems:
        raise SettingsError(problems)
    lines: dict[Path, int] = {}
    data = _plain(node, (), lines)
    return Document(shown_as, data, lines)


def override(assignments: str) -> Document:
    """Values from `path=value path=value`, values being YAML. Raises SettingsError."""
    data: dict[str, Any] = {}
    for assignment in assignments.split():
        dotted_path, equals, text = assignment.partition("=")
        if not equals or not all(dotted_path.split(".")):
            message = f"{assignment!r} is not of the form section.key=value"
            raise SettingsError([Problem("SET", 0, "", message)])
        *parents, key = dotted_path.split(".")
        place = data
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                message = f"{dotted_path} and {parent} cannot both be set"
                raise SettingsError([Problem("SET", 0, dotted_path, message)])
        try:
            place[key] = yaml.safe_load(text)
        except yaml.YAMLError:
            raise SettingsError([Problem("SET", 0, dotted_path, f"{text!r} is no YAML")]) from None
    return Document("SET", data, {})


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        result = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            result[key] = _plain(value_node, (*path, key), lines)
            lines[(*path, key)] = key_node.start_mark.line + 1
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, i), lines) for i, item in enumerate(node.value)]
    # construct_document gives scalars the types of YAML 1.1, as every Kubernetes tool reads them.
    return yaml.SafeLoader("").construct_document(node)


def _doubled(node: yaml.Node, path: Path) -> Iterator[tuple[Path, int]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in seen:
                yield (*path, key), key_node.start_mark.line + 1
            seen.add(key)
            yield from _doubled(value_node, (*path, key))
    elif isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            yield from _doubled(item, (*path, i))
