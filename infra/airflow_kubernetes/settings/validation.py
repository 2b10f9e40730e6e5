"""The schema as data: its fields, sections and marks; and pydantic's errors as messages."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, TypeVar, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from .document import ENOUGH, Document, problem, shown
from .fields import FORMS, TAGS, Section
from .marks import PerEnvironment
from .problems import Fault, Path, SettingsError
from .scalars import LONGEST_NUMBER, Unclear, meaning

S = TypeVar("S", bound=Section)

MISSING = "missing; values/common.yaml holds every setting"

_EXPECTED = {
    "bool_type": "input should be true or false",
    "dict_type": "input should be a mapping",
    "model_type": 'input should be a section, lines of "key: value" below its name',
}
"""Messages of pydantic that have words of Python, in YAML's."""


def validated(section: type[S], document: Document, missing: str) -> S:
    """The document as a section. Raises SettingsError; `missing` is about a key that it lacks."""
    try:
        return section.model_validate(document.data)
    except ValidationError as error:
        faults = wrong_values(error, section, [document], missing)
        raise SettingsError([problem(*fault, [document]) for fault in faults]) from None


def wrong_values(
    error: ValidationError,
    root: type[Section],
    documents: Sequence[Document],
    missing: str = MISSING,
) -> Iterator[Fault]:
    """Path and message, with the remedy, of each wrong key and each wrong value of a `root`.

    The documents are what was validated, merged, the first over the others. `missing` is the
    message about a key that none of them has. Only the first ENOUGH errors count.
    """
    wrong: dict[tuple[Path, bool], list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False)[:ENOUGH]:
        path = tuple(part for part in detail["loc"] if part not in TAGS)
        if detail["type"] == "extra_forbidden":
            yield path, f"unknown key{nearest(str(path[-1]), _keys_at(path[:-1], root))}"
        elif detail["type"] == "missing":
            of_item = missing == MISSING and any(isinstance(part, int) for part in path)
            yield path, "missing; each item needs it" if of_item else missing
        else:
            key = path[-1:] == ("[key]",)
            wrong.setdefault((_without_types(path, documents), key), []).append(detail)
    for (path, _), details in wrong.items():
        yield path, _wrong_value(path, details, documents, root)


def _without_types(path: Path, documents: Sequence[Document]) -> Path:
    """The path in the documents. Pydantic adds the member of a union, or that a key is wrong."""
    while path and not any(document.holds(path) for document in documents):
        path = path[:-1]
    return path


def _wrong_value(
    path: Path, details: list[ErrorDetails], documents: Sequence[Document], root: type[Section]
) -> str:
    """What the value at `path` should be, how it is written, and what to write instead.

    `details` are one error, or one for each type that the value might have.
    """
    value, kinds = details[0]["input"], {detail["type"] for detail in details}
    written = shown(value, path, documents)
    if kinds == {"string_type"} and _quotable(value, written):
        details = _errors_of(written, path, root) or details  # quotes alone would not be enough
    elif isinstance(value, Unclear) and (number := value.beyond) is not None:
        details = _errors_of(number, path, root) or details  # fewer digits would not be enough
    if written == "empty" and kinds == {"model_type"}:
        required = str(path[-1]) in _keys_at(path[:-1], root)
        elsewhere = sum(document.holds(path) for document in documents) > 1
        remedy = "" if required and not elsewhere else ", or remove it"
        return f"is empty: write its settings below it{remedy}"
    first, *others = dict.fromkeys(map(_expected, details))
    message = ", ".join([first, *(text.removeprefix("input should be ") for text in others)])
    if isinstance(value, dict | list) and not any(kind.endswith("_type") for kind in kinds):
        return message
    remedies = [text for text in _remedies(value, written, details) if _fits(text, path, root)]
    found = "but is empty" if written == "empty" else f"not {written}"
    return f"{message}, {found}" + (f" (write {' or '.join(remedies)})" if remedies else "")


def _expected(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if (words := FORMS.get(context.get("pattern", ""))) is not None:
        return f"should be {words}"
    if detail["type"] == "too_short":
        return f"should have at least {context['min_length']} item"
    text = _EXPECTED.get(detail["type"], detail["msg"])
    return f"{text[0].lower()}{text[1:]}"


def _remedies(value: Any, written: str, details: list[ErrorDetails]) -> Iterator[str]:
    """What to write so that the value has one of the types that pydantic missed."""
    kinds = {detail["type"] for detail in details}
    choices = [detail["ctx"]["expected"] for detail in details if detail["type"] == "literal_error"]
    as_text = "string_type" in kinds or any(f"'{written}'" in each for each in choices)
    if as_text and _quotable(value, written):
        yield f'"{written}"'
        return  # what is read as text keeps its digits
    meant = meaning(value) if isinstance(value, str) else value
    if isinstance(meant, Unclear):
        long = (f"at most {LONGEST_NUMBER} digits",) if meant.text.strip("+-").isdigit() else ()
        yield from meant.numbers or long if kinds & {"int_type", "float_type"} else ()
        yield from [meant.boolean] if "bool_type" in kinds and meant.boolean else ()
    elif isinstance(meant, bool):
        yield from [str(meant).lower()] if "bool_type" in kinds else ()
    elif isinstance(meant, int | float):
        if kinds & {"int_type", "float_type"} and meant == int(meant):
            yield str(int(meant))
        elif "float_type" in kinds:
            yield str(meant)
    elif isinstance(meant, date) and "date_type" in kinds:
        yield meant.isoformat()
    if written == "empty":
        yield from ["[]"] if "list_type" in kinds else ["{}"] if "dict_type" in kinds else ()


def in_quotes(path: Path, documents: Sequence[Document], root: type[Section]) -> str | None:
    """The value at `path`, in no list, as it is written, if only quotes are missing."""
    document = next((document for document in documents if document.holds(path)), None)
    text = document.texts.get(path) if document else None
    if not text or any(isinstance(part, int) for part in path) or _errors_of(text, path, root):
        return None
    return text


def _quotable(value: Any, written: str) -> bool:
    """Whether a value would be a text if what is written were in quotes."""
    return not isinstance(value, str | dict | list) and written != "empty" and "…" not in written


def _fits(remedy: str, path: Path, root: type[Section]) -> bool:
    """Whether the value at `path` may be what a remedy says: a value, or words about one."""
    value = remedy[1:-1] if remedy.startswith('"') else meaning(remedy)
    return (isinstance(value, str) and value == remedy) or not _errors_of(value, path, root)


def _errors_of(value: Any, path: Path, root: type[Section]) -> list[ErrorDetails]:
    """What is wrong with a value at `path` alone, whatever else a `root` has."""
    data = value
    for part in reversed(path):
        data = [data] if isinstance(part, int) else {part: data}
    place = tuple(0 if isinstance(part, int) else part for part in path)
    try:
        root.model_validate(data)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        return [detail for detail in errors if detail["loc"][: len(place)] == place]
    return []


def fields(section: type[Section]) -> dict[str, FieldInfo]:
    """A section's fields by their keys in a values file."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def section_of(field: FieldInfo) -> type[Section] | None:
    """The section that the field holds; None if it holds none."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def sections_of(field: FieldInfo) -> type[Section] | None:
    """The section in a mapping from names that the user chooses; None if it is no such mapping."""
    if get_origin(field.annotation) is not dict:
        return None
    kind = get_args(field.annotation)[-1]
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def mark_of(field: FieldInfo) -> PerEnvironment | None:
    """The field's mark; None if the field is the same in every environment."""
    return next((item for item in field.metadata if isinstance(item, PerEnvironment)), None)


def _section(kind: Any, *, items: bool) -> type[Section] | None:
    """The section that a value may be, perhaps among other types, or with `items` that each item
    of its mapping or list may be.
    """
    if isinstance(kind, type) and issubclass(kind, Section):
        return None if items else kind
    inner: Iterable[Any] = get_args(kind)
    if get_origin(kind) in (dict, list):
        return _section([*inner][-1], items=False) if items else None
    return next((found for arg in inner if (found := _section(arg, items=items))), None)


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
        section, of_items = (_section(field.annotation, items=each) for each in (False, True))
        item = of_items is not None
        section = section or of_items
    return list(fields(section)) if section and not item else []


def nearest(wrong: str, right: list[str]) -> str:
    """What may be meant by a wrong name, as the end of a message: `; did you mean …?`."""
    near = difflib.get_close_matches(wrong, right, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known: {', '.join(right)}" if right else ""
