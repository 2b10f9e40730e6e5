"""YAML files and overrides as plain data, with the line of each value for error messages."""

from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import yaml

from .problems import Path, Problem, SettingsError, dotted


@dataclass(frozen=True)
class Document:
    """`data` in Python's types; `lines` maps the path of each value to its line, from 1."""

    file: str
    data: dict[str, Any]
    lines: dict[Path, int]


def read(file: FilePath, shown_as: str) -> Document:
    """The document in a YAML file, whose scalars have the types of YAML 1.1 as in Kubernetes tools.

    Raises SettingsError: no such file, not YAML, not a mapping, a key set twice.
    """
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except FileNotFoundError:
        raise SettingsError([Problem(shown_as, 0, "", "no such file")]) from None
    except UnicodeDecodeError as error:
        raise SettingsError([Problem(shown_as, 0, "", f"not UTF-8: {error}")]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        raise SettingsError([Problem(shown_as, line, "", _not_yaml(error))]) from None
    if node is None:
        return Document(shown_as, {}, {(): 1})
    if not isinstance(node, yaml.MappingNode):
        raise SettingsError([Problem(shown_as, 1, "", "must be a mapping of sections")])
    conversion = _Conversion(shown_as)
    data = conversion.plain(node, (), 1)
    if conversion.problems:
        raise SettingsError(conversion.problems)
    return Document(shown_as, data, conversion.lines)


def override(assignments: str) -> Document:
    """The document of `section.key=value …`, each value YAML. Raises SettingsError."""
    values: dict[tuple[str, ...], Any] = {}
    problems = []
    for assignment in assignments.split():
        name, equals, text = assignment.partition("=")
        path = tuple(name.split("."))
        if not equals or not all(path):
            message = f"{assignment!r} is not of the form section.key=value"
            problems.append(Problem("SET", 0, "", message))
            continue
        for known in values.keys() - {path}:
            if known[: len(path)] == path[: len(known)]:
                pair = " and ".join(f"`{dotted(part)}`" for part in sorted((known, path), key=len))
                message = f"conflicts with another override: {pair} cannot both be set"
                problems.append(Problem("SET", 0, name, message))
        try:
            values[path] = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError) as error:
            problems.append(Problem("SET", 0, name, f"{text!r} is {_not_yaml(error)}"))
    if problems:
        raise SettingsError(problems)
    data: dict[str, Any] = {}
    for (*parents, key), value in values.items():
        section = data
        for parent in parents:
            section = section.setdefault(parent, {})
        section[key] = value
    return Document("SET", data, {})


class _Conversion:
    """From nodes to plain data; collects the line of each value and every problem."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []

    def plain(self, node: yaml.Node, path: Path, line: int) -> Any:
        """The node's data. `line` is its key's if it has a key, which is where a reader looks."""
        self.lines[path] = line
        if isinstance(node, yaml.MappingNode):
            data: dict[str, Any] = {}
            for key_node, value_node in node.value:
                key, key_line = str(key_node.value), key_node.start_mark.line + 1
                if key in data:
                    self._problem((*path, key), key_line, "the key is set twice; keep one")
                data[key] = self.plain(value_node, (*path, key), key_line)
            return data
        if isinstance(node, yaml.SequenceNode):
            return [
                self.plain(item, (*path, index), item.start_mark.line + 1)
                for index, item in enumerate(node.value)
            ]
        try:
            return yaml.constructor.SafeConstructor().construct_document(node)
        except (yaml.YAMLError, ValueError) as error:  # an unknown tag; a date that does not exist
            self._problem(path, line, _not_yaml(error))

    def _problem(self, path: Path, line: int, message: str) -> None:
        self.problems.append(Problem(self.file, line, dotted(path), message))


def _not_yaml(error: Exception) -> str:
    return f"not valid YAML: {getattr(error, 'problem', None) or error}"
