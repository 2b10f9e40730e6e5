"""Write docs/values.md, the page of all settings, from the schema and values/common.yaml.

    PYTHONPATH=infra:. python -m tools.values

What a setting is for is the comment of its line in common.yaml, or the docstring below its field.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import yaml
from airflow_kubernetes.settings.bounds import at
from airflow_kubernetes.settings.document import Document, read
from airflow_kubernetes.settings.fields import Section
from airflow_kubernetes.settings.load import VALUES
from airflow_kubernetes.settings.problems import Path as Keys
from airflow_kubernetes.settings.problems import dotted
from airflow_kubernetes.settings.schema import (
    ContainerFields,
    PodFields,
    PodSettings,
    Resources,
    Settings,
)
from airflow_kubernetes.settings.schema.pods import OwnAccount
from airflow_kubernetes.settings.validation import fields, mark_of, section_of, sections_of

from . import chart

PAGE = Path(__file__).parents[2] / "docs" / "values.md"
COMMON = VALUES / "common.yaml"
ANY_POD = {*fields(PodSettings), *fields(OwnAccount)}
NAME, EXAMPLE = "<name>", "default"
"""In a path: a name that the user chooses, and the one that common.yaml has."""

HEAD = Path(__file__).with_name("head.md")
SETTINGS = """\
| key | type | per environment | default | what for | chart |
|---|---|---|---|---|---|
"""
ITEMS = """\
| key | type | default |
|---|---|---|
"""

Types = dict[str, type[Section]]


def page() -> str:
    """The page's text."""
    used: Types = {}
    texts = [
        HEAD.read_text(encoding="utf-8"),
        *map(_beginning, chart.SECTIONS),
    ]
    for group in (PodFields, ContainerFields, OwnAccount):
        texts += [f"\n{_about(group)}\n\n", SETTINGS, *_rows(group, (), used)]
    texts.append("\n## Sections\n")
    for key, field in fields(Settings).items():
        section = section_of(field)
        if section is not None and key != "pods":
            texts += [f"\n### {key}\n\n{_about(section)}\n\n", SETTINGS]
            texts += _rows(section, (key,), used)
    texts += ["\n### Others\n\n", SETTINGS]
    texts += [
        _row(Settings, (key,), used)
        for key, field in fields(Settings).items()
        if section_of(field) is None
    ]
    texts.append("\n## Types\n")
    shown: set[str] = set()
    while new := sorted(used.keys() - shown):
        for name in new:
            texts += [f"\n### {name}\n\n{_about(used[name])}\n\n", ITEMS]
            texts += [_item(used[name], key, used) for key in fields(used[name])]
        shown |= {*new}
    return "".join(texts)


def _beginning(section: str) -> str:
    beginnings = ", ".join(map("`{}`".format, filter(None, chart.SECTIONS[section])))
    top = "no prefix: the chart's global keys" if section == "pods" else "has none"
    return _line(f"`{section}`", beginnings or top)


def _rows(section: type[Section], path: Keys, used: Types) -> Iterator[str]:
    """A row for each setting of a section and of those in it; `used` gets the types of items."""
    if path and issubclass(section, PodSettings):
        yield _line(f"`{dotted(path)}.…`", "", "", "", "[any pod's](#what-any-pod-may-have)", "")
    for key, field in fields(section).items():
        if path and issubclass(section, PodSettings) and key in ANY_POD:
            continue
        if (inner := section_of(field)) is not None and inner is not Resources:
            yield from _rows(inner, (*path, key), used)
        elif (inner := sections_of(field)) is not None:
            yield from _rows(inner, (*path, key, NAME), used)
        else:
            yield _row(section, (*path, key), used)


def _row(section: type[Section], path: Keys, used: Types) -> str:
    key = str(path[-1])
    place: Keys = tuple(EXAMPLE if part == NAME else part for part in path)
    mark = mark_of(fields(section)[key])
    differs = "no" if mark is None else f"only {mark.only}" if mark.only else "yes"
    default = _default(section, key)
    if (common := _common()).holds(place):
        default = _shown(at(common.data, place))
    what = _comment(place) or _docstrings(section).get(key, "")
    kind = _type(section, key, used)
    return _line(f"`{dotted(path)}`", kind, differs, default, what, _chart(path))


def _item(section: type[Section], key: str, used: Types) -> str:
    return _line(f"`{key}`", _type(section, key, used), _default(section, key))


def _line(*columns: str) -> str:
    cells = (" ".join(column.split()).replace("|", "\\|") for column in columns)
    return f"| {' | '.join(cells)} |\n"


def _type(section: type[Section], key: str, used: Types) -> str:
    """The type of a field in words; those of items are links to their tables."""
    used |= {kind.__name__: kind for kind in _sections(fields(section)[key].annotation)}
    return _words(section.model_json_schema()["properties"][key])


def _sections(kind: Any) -> Iterator[type[Section]]:
    if isinstance(kind, type) and issubclass(kind, Section):
        yield kind
    for inner in get_args(kind):
        yield from _sections(inner)


def _words(schema: Mapping[str, Any]) -> str:
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if choices := schema.get("enum") or [schema[key] for key in ("const",) if key in schema]:
        return " or ".join(f"`{choice}`" for choice in choices)
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(map(_words, options))
    match schema.get("type"):
        case "integer":
            most = schema.get("maximum", schema.get("exclusiveMaximum", 0) - 1)
            return f"number, {schema['minimum']} to {most}" if most > 0 else "number"
        case "array":
            return f"list of {_words(schema['items'])}"
        case "object":
            values = [*schema.get("patternProperties", {}).values()]
            return f"mapping to {_words(values[0] if values else schema['additionalProperties'])}"
        case kind:
            return {"string": "text", "boolean": "true or false"}.get(str(kind), str(kind))


def _default(section: type[Section], key: str) -> str:
    field = fields(section)[key]
    if field.is_required():
        return "required"
    return _shown(field.get_default(call_default_factory=True))


def _shown(value: Any) -> str:
    """A value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return f"`{text.removesuffix(chr(10)).removesuffix(chr(10) + '...')}`"


def _chart(path: Keys) -> str:
    """The chart's key, of a setting or of the section that it is in."""
    text = dotted(path)
    if path[0] in ANY_POD:
        return chart.OF_PODS.get(text, text)
    for section, beginnings in chart.SECTIONS.items():
        if words := chart.OF_COMPONENTS.get(text.removeprefix(f"{section}.")):
            return ", ".join(f"{beginning}{words}" for beginning in beginnings)
    starts = (dotted(path[:length]) for length in range(len(path), 0, -1))
    return next((chart.KEYS[start] for start in starts if start in chart.KEYS), "")


def _about(section: type[Section]) -> str:
    """A section's docstring on one line, names of fields as in the values."""
    text = " ".join((inspect.getdoc(section) or "").split())
    names = {name: field.alias or name for name, field in section.model_fields.items()}
    return re.sub(r"`(\w+)`", lambda match: f"`{names.get(match[1], match[1])}`", text)


@cache
def _docstrings(section: type[Section]) -> dict[str, str]:
    """The docstrings below a section's fields, by the keys of these."""
    found: dict[str, str] = {}
    for kind in reversed(section.__mro__):
        if not issubclass(kind, Section) or kind is Section:
            continue
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
        statements = body.body if isinstance(body, ast.ClassDef) else []
        for field, text in pairwise(statements):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(docstring))),
                ):
                    found[kind.model_fields[name].alias or name] = docstring
    return found


@cache
def _common() -> Document:
    return read(COMMON, COMMON.name)


def _comment(path: Keys) -> str:
    """The comment of a setting's own line in common.yaml."""
    line = _common().lines.get(path)
    text = COMMON.read_text(encoding="utf-8").splitlines()[line - 1] if line else ""
    return text.partition(" # ")[2].strip()


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
