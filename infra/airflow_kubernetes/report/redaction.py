"""Values without the secrets in them: anyone who can read the pull request reads the report."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from ..comparison.leaves import MISSING, Path, children, document
from ..policies import plaintext

DATA = ("data", "stringData")
"""Where a Secret has its values."""

SECRET = "[secret]"
CHECKSUM = "[checksum]"

CONFIGURATION = ("spec", "template", "metadata", "annotations", "airflow-kubernetes/config")
"""A checksum: its value says only that something else changed."""

REFERENCES = {"key", "kind", "name", "path", "secretName"}
"""Fields that name an object or an entry of it; their values are no secrets, however they look."""


def hidden(kind: str, path: Path, value: Any) -> Any:
    """What an object of `kind` has at `path`, as it may be shown; the whole object at ()."""
    if value is MISSING:
        return MISSING
    if kind == "Secret" and path and path[0] in DATA and not isinstance(value, dict):
        return SECRET
    held = document(path, value)
    if held is not value and (shown := hidden(kind, path, held)) != held:
        return yaml.dump(shown, Dumper=yaml.CSafeDumper)
    inner = {key: hidden(kind, (*path, key), item) for key, item in children(value).items()}
    if inner:
        return inner if isinstance(value, dict) else [*inner.values()]
    if path == CONFIGURATION:
        return CHECKSUM
    if isinstance(value, list):
        return list(_arguments(value))
    # An environment variable is called by its name, any other leaf by its key.
    name = path[-2] if len(path) > 1 and path[-1] == "value" else path[-1] if path else ""
    return _without_secret(name.strip("[]"), value)


def redacted(text: str) -> str:
    """Free text without private keys, passwords in URLs, and values of lines that set a secret."""
    if plaintext.PRIVATE_KEY.search(text):
        return SECRET
    return plaintext.FILE_LINE.sub(
        lambda line: line[0] if plaintext.NO_SECRET.fullmatch(line[1]) else _without_group(line),
        without_logins(text),
    )


def without_logins(text: str) -> str:
    """Text without passwords in URLs: other programs quote proxies and backends in their errors."""
    return plaintext.URL.sub(_without_group, text)


def looks_secret(name: str, value: object) -> bool:
    """Whether a value should not be shown, by its name or by its content."""
    if not isinstance(value, str) or name in REFERENCES:
        return False
    return any(True for _ in plaintext.in_variable(name, value))


def _without_secret(name: str, value: Any) -> Any:
    if isinstance(value, str) and "\n" in value:
        return redacted(value)
    return SECRET if looks_secret(name, value) else value


def _arguments(values: Sequence[Any]) -> Iterator[Any]:
    """Arguments, without the value of an option that takes a secret."""
    parts = plaintext.arguments(map(str, values))
    for value, (beginning, name, text) in zip(values, parts, strict=True):
        secret = name and looks_secret(name, text)
        yield f"{beginning}{SECRET}" if secret else _without_secret("", value)


def _without_group(found: re.Match[str]) -> str:
    """The match without its group 1, the secret."""
    start, end = found.start(1) - found.start(), found.end(1) - found.start()
    return found[0][:start] + SECRET + found[0][end:]
