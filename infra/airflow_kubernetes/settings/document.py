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
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except FileNotFoundError:
        raise SettingsError([Problem(shown_as, 0, "", "no such file")]) from None
    except UnicodeDecodeError as error:
        raise SettingsError([Problem(shown_as, 0, "", f"not UTF-8: {error}")]) from None
    except yaml.YAMLError as error:
        raise SettingsError([_not_yaml(shown_as, error)]) from None
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
    try:
        data = _plain(node, (), lines)
    except (yaml.YAMLError, ValueError) as error:  # an unknown tag; a date that does not exist
        raise SettingsError([_not_yaml(shown_as, error, max(lines.values()))]) from None
    return Document(shown_as, data, lines)


def override(assignments: str) -> Document:
    """Values from `path=value path=value`, values being YAML. Raises SettingsError."""
    data: dict[str, Any] = {}
    problems = []
    for assignment in assignments.split():
        dotted_path, equals, text = assignment.partition("=")
        if not equals or not all(dotted_path.split(".")):
            message = f"{assignment!r} is not of the form section.key=value"
            problems.append(Problem("SET", 0, "", message))
            continue
        *parents, key = dotted_path.split(".")
        place: Any = data
        for parent in parents:
            place = place.setdefault(parent, {}) if isinstance(place, dict) else None
        if not isinstance(place, dict) or isinstance(place.get(key), dict):
            message = "is set beside a part of itself"
            problems.append(Problem("SET", 0, dotted_path, message))
            continue
        try:
            place[key] = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError):
            problems.append(Problem("SET", 0, dotted_path, f"{text!r} is no YAML"))
    if problems:
        raise SettingsError(problems)
    return Document("SET", data, {})


def _not_yaml(file: str, error: Exception, line: int = 0) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or error
    return Problem(file, mark.line + 1 if mark else line, "", f"not YAML: {what}")


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
    return yaml.constructor.SafeConstructor().construct_document(node)


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
