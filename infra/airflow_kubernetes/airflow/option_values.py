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

LARGEST = 2**31 - 1
"""Airflow's database has 32 bits for what it stores of such numbers."""

BELOW_ZERO = {
    ("core", "dagbag_import_timeout"),
    ("core", "default_pool_task_slot_count"),
    ("dag_processor", "stale_bundle_cleanup_interval"),
    ("database", "sql_alchemy_pool_recycle"),
}
"""Options whose negative values mean something: none, or without limit."""

CALLSITE = (
    "filename", "func_name", "lineno", "module", "pathname", "process", "process_name", "qual_name",
    "thread", "thread_name",
)  # fmt: skip
"""The names in structlog.processors.CallsiteParameter."""


def wrong_value(section: str, option: str, described: Option, text: str) -> str | None:
    """What the option takes instead of `text`; None if it takes that."""
    if described.values:
        if text in described.values:
            return None
        words = alternatives(value or "empty" for value in described.values)
        return f"must be {words}, not {_shown(text)}"
    forms = [TYPES.get(described.type), SPECIAL.get((section, option))]
    if described.type == "integer":
        forms.append(PORT if option.endswith("_port") else SMALL)
    if described.type in ("integer", "float") and (described.default or 0) >= 0:
        forms.append(POSITIVE if (section, option) not in BELOW_ZERO else None)
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


def _json(*kinds: type) -> Callable[[str], bool]:
    """Of one of the kinds; an empty text counts as unset."""

    def check(text: str) -> bool:
        try:
            return not text or isinstance(json.loads(text), kinds)
        except (ValueError, RecursionError):
            return False

    return check


def _matching(pattern: str) -> Callable[[str], bool]:
    return lambda text: re.fullmatch(pattern, text, re.ASCII | re.IGNORECASE) is not None


def _items(check: Callable[[str], bool], separator: str = ",") -> Callable[[str], bool]:
    """Of a list with a pattern of separators; items may have spaces around them."""
    return lambda text: all(check(item.strip()) for item in re.split(separator, text))


def _import(text: str) -> bool:
    return re.fullmatch(r"([A-Za-z_]\w*(\.[A-Za-z_]\w*)+)?", text) is not None


def _pattern(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def _time_zone(text: str) -> bool:
    zones = zoneinfo.available_timezones()  # empty on a machine without the database
    return text.lower() in ("utc", "system") or text in zones or not zones


def _bundles(text: str) -> bool:
    items = json.loads(text or "[]")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return False
    names = {str(item.get("name")) for item in items}
    return len(names) == len(items) and all(
        isinstance(item.get(key), kind)
        for item in items
        for key, kind in (("name", str), ("classpath", str), ("kwargs", dict))
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
    "json": (_json(dict, list), "JSON in one text"),
    "import": (_import, "the path of a Python object, such as package.module.name"),
}
PORT: Form = (lambda text: 0 < int(text) < 65536, "a port from 1 to 65535")
SMALL: Form = (lambda text: int(text) <= LARGEST, f"at most {LARGEST}")
POSITIVE: Form = (lambda text: float(text) >= 0, "at least 0")
OBJECT: Form = (_json(dict), "a JSON object in one text, such as {}")
OCTAL: Form = (_matching("(0o)?[0-7]{1,4}"), 'octal digits in quotes, such as "0o775"')
PATTERN: Form = (_pattern, "a regular expression of Python's")
PATTERNS: Form = (_items(_pattern), "regular expressions with commas between them")
PATHS: Form = (_items(_import), "paths of Python modules with commas between them")
ZONE: Form = (_time_zone, "utc, system or a zone such as Europe/Berlin")
SWITCH: Form = (
    _matching("t|true|1|f|false|0|non-sensitive-only"),
    "true, false or non-sensitive-only",
)
SPECIAL: dict[tuple[str, str], Form] = {
    ("api", "auth_backends"): PATHS,
    ("api", "expose_config"): SWITCH,
    ("api", "theme"): OBJECT,
    ("celery", "extra_celery_config"): OBJECT,
    ("celery", "result_backend_sqlalchemy_engine_options"): OBJECT,
    ("celery", "worker_umask"): OCTAL,
    ("core", "allowed_deserialization_classes_regexp"): (
        _items(_pattern, r"\s"),
        "regular expressions with spaces between them",
    ),
    ("core", "asset_manager_kwargs"): OBJECT,
    ("core", "daemon_umask"): OCTAL,
    ("core", "dataset_manager_kwargs"): OBJECT,
    ("core", "default_timezone"): ZONE,
    ("core", "task_runner"): (
        lambda text: text == "StandardTaskRunner" or bool(text and _import(text)),
        "StandardTaskRunner or the path of a class",
    ),
    ("dag_processor", "dag_bundle_config_list"): (
        _bundles,
        "a list of objects with name, each once, classpath and kwargs",
    ),
    ("database", "external_db_managers"): PATHS,
    ("database", "sql_alchemy_engine_args"): OBJECT,
    ("fab", "auth_backends"): PATHS,
    ("fab", "auth_rate_limit"): (
        _items(
            _matching(r"\d+\s*(/|per)\s*(\d+)?\s*(second|minute|hour|day|month|year)s?"), "[,;|]"
        ),
        "limits such as 5 per 40 second",
    ),
    ("kubernetes_executor", "api_client_retry_configuration"): OBJECT,
    ("kubernetes_executor", "delete_option_kwargs"): OBJECT,
    ("kubernetes_executor", "kube_client_request_args"): OBJECT,
    ("logging", "callsite_parameters"): (
        _items(_matching(f"({'|'.join(CALLSITE)})?")),
        f"names of {', '.join(CALLSITE)}",
    ),
    ("logging", "file_task_handler_new_file_permissions"): OCTAL,
    ("logging", "file_task_handler_new_folder_permissions"): OCTAL,
    ("logging", "namespace_levels"): (_levels, "pairs such as sqlalchemy=INFO"),
    ("logging", "remote_task_handler_kwargs"): OBJECT,
    ("metrics", "metrics_allow_list"): PATTERNS,
    ("metrics", "metrics_block_list"): PATTERNS,
    ("scheduler", "allowed_run_id_pattern"): PATTERN,
    ("sdk", "coordinators"): OBJECT,
    ("sdk", "queue_to_coordinator"): OBJECT,
    ("secrets", "backend_kwargs"): OBJECT,
    ("webserver", "default_ui_timezone"): ZONE,
    ("webserver", "expose_config"): SWITCH,
    ("workers", "secrets_backend_kwargs"): OBJECT,
}
"""Options whose type alone does not say what they take."""
