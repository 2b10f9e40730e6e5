"""Values of options as Airflow reads them, by the methods of its configuration parser."""

import json
import math
import re
import zoneinfo
from collections.abc import Callable, Iterable

from .options import Option

BOOLEANS = {"t", "true", "1", "f", "false", "0"}
"""In any case (`getboolean`)."""

LEVELS = "CRITICAL|ERROR|WARN|WARNING|INFO|DEBUG|NOTSET"


def wrong_value(section: str, option: str, described: Option, text: str) -> str | None:
    """What the option takes instead of `text`; None if it takes that."""
    if described.values:
        if text in described.values:
            return None
        words = alternatives(value or "empty" for value in described.values)
        return f"must be {words}, not {_shown(text)}"
    forms = [TYPES.get(described.type), SPECIAL.get((section, option))]
    if option.endswith("_port") and described.type == "integer":
        forms.append((_port, "a port from 1 to 65535"))
    for form in forms:
        if form is not None and not form[0](text):
            return f"must be {form[1]}, not {_shown(text)}"
    return None


def alternatives(texts: Iterable[str]) -> str:
    """Texts as in "a, b or c"."""
    *others, last = texts
    return f"{', '.join(others)} or {last}" if others else last


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


def _integer(text: str) -> bool:
    return re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", text) is not None


def _number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _boolean(text: str) -> bool:
    return text.strip().lower() in BOOLEANS


def _json(text: str) -> bool:
    """An empty text counts as unset."""
    try:
        json.loads(text or "null")
    except (ValueError, RecursionError):
        return False
    return True


def _import(text: str) -> bool:
    return re.fullmatch(r"([A-Za-z_]\w*(\.[A-Za-z_]\w*)+)?", text) is not None


def _port(text: str) -> bool:
    return 0 < int(text) < 65536


def _time_zone(text: str) -> bool:
    zones = zoneinfo.available_timezones()  # empty on a machine without the database
    return text.lower() in ("utc", "system") or text in zones or not zones


def _bundles(text: str) -> bool:
    items = json.loads(text or "[]")
    return isinstance(items, list) and all(
        isinstance(item, dict) and {"name", "classpath"} <= {*item} for item in items
    )


def _levels(text: str) -> bool:
    pairs = re.split(r"[\s,]+", text.strip())
    return all(re.fullmatch(rf"([\w.]+=(?i:{LEVELS}))?", pair) for pair in pairs)


Form = tuple[Callable[[str], bool], str]
"""Whether a text is of the form, and the form in words."""

TYPES: dict[str, Form] = {
    "integer": (_integer, "a whole number"),
    "float": (_number, "a number"),
    "boolean": (_boolean, "true or false"),
    "json": (_json, "JSON in one text"),
    "import": (_import, "the path of a Python object, such as package.module.name"),
}
SPECIAL: dict[tuple[str, str], Form] = {
    ("dag_processor", "dag_bundle_config_list"): (
        _bundles,
        "a list of objects with name and classpath",
    ),
    ("core", "default_timezone"): (_time_zone, "utc, system or a zone such as Europe/Berlin"),
    ("logging", "namespace_levels"): (_levels, "pairs such as sqlalchemy=INFO"),
}
