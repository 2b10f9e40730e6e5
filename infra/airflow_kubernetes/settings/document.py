"""Files and overrides that a user writes as YAML, as plain data with the line of each value.

Everything is checked while the parser's events are read, before anything is built of them: what
expands (aliases, merges), what constructs (tags), what nests, and what cannot be seen. A problem
is found in milliseconds, whatever the file holds.
"""

import json
import re
import stat
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

import yaml

from .problems import Path, Problem, SettingsError, dotted, printable
from .scalars import is_key, meaning, scalar
from .syntax import explained

LARGEST = 4 * 2**20
"""Bytes of a file. All settings and a ConfigMap of the greatest size that Kubernetes takes fit."""
DEEPEST = 20
"""Levels of sections and lists; settings have 8."""
MOST = 10_000
"""Parser events of a file, about one for each key and each value."""
ENOUGH = 200
"""Problems after which no more are looked for: each costs time, and nobody reads so many."""
LONGEST_VALUE = 60
"""Characters that a message shows of a value."""
LOGIN = re.compile(r"""(?<=//)[^\s/'"]+(?=@)|[^\s/'"@:]+:[^\s'"@]+(?=@(?!sha256:))""")
"""User and password before a host; no message shows them."""


@dataclass(frozen=True)
class Document:
    """`data` in Python's types; `lines` maps the path of each value to its line, from 1.

    `texts` has each value that is no text as it is written, by path: `3.10` for the number 3.1.
    """

    file: str
    data: dict[str, Any]
    lines: dict[Path, int]
    texts: dict[Path, str] = field(default_factory=dict)

    def holds(self, path: Path) -> bool:
        """Whether the document sets a value at `path`."""
        data: Any = self.data
        for part in path:
            is_list = isinstance(data, list)
            keys = range(len(data)) if is_list else data
            if not (is_list or isinstance(data, dict)) or part not in keys:
                return False
            data = data[part]
        return True


def problem(path: Path, message: str, documents: Iterable[Document]) -> Problem:
    """`message` at `path`, or at its nearest parent, in the first document that sets it."""
    documents = list(documents)
    for length in range(len(path), 0, -1):
        for document in documents:
            if document.holds(path[:length]):
                line = document.lines.get(path[:length], 0)
                return Problem(document.file, line, dotted(path), message)
    return Problem(documents[-1].file, 1, dotted(path), message)


def shown(value: Any, path: Path, documents: Iterable[Document]) -> str:
    """The value at `path` as it is written in the first document that sets it, for a message."""
    if isinstance(value, str):
        text = LOGIN.sub("[login]", value[: 10 * LONGEST_VALUE])
        return f"'{printable(text, LONGEST_VALUE)}'"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    texts = (document.texts[path] for document in documents if path in document.texts)
    text = next(texts, json.dumps(value, default=str))
    return printable(text, LONGEST_VALUE) or "empty"


def read(file: FilePath, shown_as: str) -> Document:
    """The document in a YAML file. Raises SettingsError with all problems; see `parse`."""

    def refused(message: str, line: int = 0) -> SettingsError:
        return SettingsError([Problem(shown_as, line, "", message)])

    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device, pipe or socket"
            raise refused(f"is {kind}, and should be a file: rename or remove it")
        if status.st_size > LARGEST:
            raise refused(f"is larger than {LARGEST // 2**20} MiB: not a file of settings")
        content = file.read_bytes()
    except FileNotFoundError:
        raise refused("no such file") from None
    except OSError as error:
        raise refused(f"cannot be read: {error.strerror}") from None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or 0 in content[:2]:
        raise refused("is UTF-16 or UTF-32, or no text: save it as UTF-8", 1)
    if content.startswith(b"\xef\xbb\xbf"):
        raise refused("begins with a byte order mark: save it as UTF-8 without one", 1)
    try:
        return parse(content.decode(), shown_as)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"not UTF-8: the byte {content[error.start]:#04x}; save the file as UTF-8"
        raise refused(message, line) from None


def parse(text: str, shown_as: str) -> Document:
    """The document in a text.

    Scalars are read by scalars.py; keys are text. Raises SettingsError with all problems: not YAML,
    no mapping, several documents, aliases, anchors, merges, tags, nested too deeply, a key that is
    no text or set twice, characters that cannot be seen.
    """
    reader = _Reader(shown_as, text)
    data = reader.document()
    if data is None and reader.texts.get((), "") == "":  # nothing, or comments only
        return Document(shown_as, {}, {(): 1})
    if not isinstance(data, dict):
        raise SettingsError([Problem(shown_as, 1, "", 'must be a mapping, lines of "key: value"')])
    return Document(shown_as, data, reader.lines, reader.texts)


def override(assignments: str) -> Document:
    """The document of `section.key=value …`, each value YAML. Raises SettingsError."""
    values: dict[tuple[str, ...], Any] = {}
    sections: dict[tuple[str, ...], tuple[str, ...]] = {}  # each with a value that it has
    texts: dict[Path, str] = {}
    problems: list[Problem] = []

    def refuse(name: str, message: str) -> None:
        problems.append(Problem("SET", 0, name, message))

    for assignment in assignments.split():
        if len(problems) >= ENOUGH:
            break
        name, equals, text = assignment.partition("=")
        path = tuple(name.split("."))
        quoted = f"'{printable(assignment, LONGEST_VALUE)}'"
        if not equals or not all(path) or not assignment.isprintable():
            refuse("", f"{quoted} is not of the form section.key=value, without spaces")
            continue
        if not text:
            refuse(name, 'has no value: write null, or "" for an empty text')
        if path in values:
            refuse(name, "is set twice; keep one")
        above = [path[:length] for length in range(1, len(path))]
        other = sections.get(path) or next((part for part in above if part in values), None)
        if other is not None:
            pair = " and ".join(f"`{dotted(part)}`" for part in sorted((other, path), key=len))
            refuse(name, f"conflicts with another override: {pair} cannot both be set")
        sections |= dict.fromkeys(above, path)
        reader = _Reader("SET", text, path, f"'{printable(text, LONGEST_VALUE)}' is ")
        try:
            values[path] = reader.document()
            texts |= reader.texts
        except SettingsError as error:
            values[path] = None
            problems += [replace(found, line=0) for found in error.problems]
    if problems:
        raise SettingsError(problems)
    data: dict[str, Any] = {}
    for (*parents, key), value in values.items():
        section = data
        for parent in parents:
            section = section.setdefault(parent, {})
        section[key] = value
    return Document("SET", data, {}, texts)


def dump(data: dict[str, Any]) -> str:
    """Plain data as YAML that `parse` reads as the same data."""
    text: str = yaml.dump(data, Dumper=Dumper)
    return text


class Dumper(yaml.SafeDumper):
    """Quotes each text that some reader, as kubectl, would take for something else: `1e3`, `y`.

    What is in two places is written twice: `parse` takes no anchors.
    """

    def ignore_aliases(self, _: Any) -> bool:
        """Always."""
        return True


def _represent_text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = None if meaning(value) == value else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


Dumper.add_representer(str, _represent_text)


_Event = Any
"""A yaml.Event, whose attributes types-pyyaml does not know."""


class _Reader:
    """Reads a text's events; collects the line and text of each value, and every problem.

    `top` is the path of the whole text. `subject` begins messages about the text itself.
    """

    def __init__(self, file: str, text: str, top: Path = (), subject: str = "") -> None:
        self.file, self.text, self.top, self.subject = file, text, top, subject
        self.lines: dict[Path, int] = {}
        self.texts: dict[Path, str] = {}
        self.problems: list[Problem] = []
        self._events = yaml.parse(text, Loader=yaml.CSafeLoader)
        self._read = 0

    def document(self) -> Any:
        """The data of the only document, None if there is none. Raises SettingsError."""
        for number, line in enumerate(self.text.split("\n"), 1):
            self._refuse_unseen(line.removesuffix("\r"), self.top, number, without="\t")
        if self.problems:
            raise SettingsError(self.problems)
        data = None
        try:
            self._next()
            if isinstance(self._next(), yaml.DocumentStartEvent):
                data = self._value(self._next(), self.top, 1)
                self._next()
                if not isinstance(after := self._next(), yaml.StreamEndEvent):
                    self._problem(self.top, after, "a second document begins; a file has one")
        except yaml.MarkedYAMLError as error:
            self._not_yaml(self.top, *explained(error, self.text.split("\n")))
        if self.problems:
            raise SettingsError(self.problems)
        return data

    def _next(self) -> _Event:
        event = next(self._events)
        self._read += 1
        if self._read > MOST:
            self._problem(
                self.top, event, f"more than {MOST} keys and values: not a file of settings"
            )
            raise SettingsError(self.problems)
        return event

    def _value(self, event: _Event, path: Path, line: int) -> Any:
        """The data of a value. `line` is its key's if it has one: that is where a reader looks."""
        self.lines[path] = line
        if len(path) - len(self.top) > DEEPEST:
            self._problem(path, event, f"nested more than {DEEPEST} levels deep: no setting is")
            raise SettingsError(self.problems)
        if isinstance(event, yaml.AliasEvent):
            message = f"aliases are not supported: write the value instead of *{event.anchor}"
            self._problem(path, event, message)
            return None
        self._refuse_properties(event, path)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        return self._scalar(event, path, line)

    def _refuse_properties(self, event: _Event, path: Path) -> None:
        if event.anchor is not None:
            message = f"anchors are not supported: remove &{event.anchor}"
            self._problem(path, event, message)
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            message = f"tags are not supported: remove {tag}; quote what is text"
            self._problem(path, event, message)

    def _mapping(self, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            known = len(self.problems)
            key = self._key(event, path)
            if key in data:
                self._problem((*path, key), event, "the key is set twice; keep one")
            wrong = len(self.problems)
            value_event = self._next()
            data[key] = self._value(value_event, (*path, key), event.start_mark.line + 1)
            if wrong > known:  # what is wrong in the value of a wrong key is no second problem
                del self.problems[wrong:]
        return data

    def _sequence(self, path: Path) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items)), event.start_mark.line + 1))
        return items

    def _key(self, event: _Event, path: Path) -> str:
        """The key, or `?` in its place for one that is no text."""
        line = event.start_mark.line + 1
        if not isinstance(event, yaml.ScalarEvent):
            known = len(self.problems)
            self._value(event, (*path, "?"), line)
            del self.problems[known:]
            self._problem(path, event, "a key is text, and no list, mapping or alias")
            return "?"
        key: str = event.value
        self._refuse_properties(event, (*path, key))
        if event.implicit[0] and key == "<<":
            message = "merges are not supported: write the keys themselves instead of <<"
            self._problem((*path, key), event, message)
        elif not key:
            self._problem(path, event, "a key is missing before a colon")
        elif event.implicit[0] and not is_key(key):
            self._problem((*path, key), event, f'a key is text: write "{key}"')
        self._refuse_unseen(key, (*path, key), line, without="")
        return key

    def _scalar(self, event: _Event, path: Path, line: int) -> Any:
        text: str = event.value
        if not event.implicit[0]:
            self._refuse_unseen(text, path, line, without="\t\n")
            return text
        try:
            value = scalar(text)
        except ValueError as error:
            message = f'{error}, in {text}; write "{text}" if it is text'
            self._not_yaml(path, line, message)
            return None
        if not isinstance(value, str):
            self.texts[path] = text
        return value

    def _refuse_unseen(self, text: str, path: Path, line: int, without: str) -> None:
        """Characters that a reader does not see, or that change what is seen; but `without`."""
        if text.isprintable():
            return
        unseen = (char for char in text if not char.isprintable() and char not in without)
        if (char := next(unseen, None)) is not None:
            name = unicodedata.name(char, "control character").lower()
            self._add(line, path, f"U+{ord(char):04X} ({name}) cannot be seen: remove it")

    def _problem(self, path: Path, event: _Event, message: str) -> None:
        self._add(event.start_mark.line + 1, path, message)

    def _not_yaml(self, path: Path, line: int, message: str) -> None:
        self._add(line, path, f"{self.subject}not valid YAML: {message}")

    def _add(self, line: int, path: Path, message: str) -> None:
        self.problems.append(Problem(self.file, line, dotted(path), message))
        if len(self.problems) == ENOUGH:
            raise SettingsError(self.problems)
