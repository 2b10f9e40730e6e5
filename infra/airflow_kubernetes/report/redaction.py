"""Values without the secrets in them: a report is read by everybody."""

from collections.abc import Iterable
from typing import Any

from ..comparison.leaves import MISSING, Path
from ..policies import plaintext

SECRET = "[secret]"
CHECKSUM = "[checksum]"

CHECKSUMS: dict[Path, str] = {
    ("spec", "template", "metadata", "annotations", "airflow-kubernetes/config"): CHECKSUM,
}
"""Leaves whose values tell nothing but that something else is another."""

REFERENCES = {"key", "kind", "name", "path", "secretName"}
"""Fields that name an object or an entry of it, however their value reads."""


def hidden(kind: str, path: Path, value: Any) -> Any:
    """The leaf of an object of `kind` as it may be shown."""
    if value is MISSING:
        return MISSING
    if kind == "Secret" and path[:1] in (("data",), ("stringData",)):
        return SECRET
    if path in CHECKSUMS:
        return CHECKSUMS[path]
    if isinstance(value, list):
        return _arguments(value)
    return _named(_name(path), value)


def hidden_object(obj: dict[str, Any]) -> dict[str, Any]:
    """A whole object as it may be shown."""
    result: dict[str, Any] = _below(str(obj["kind"]), (), obj)
    return result


def redacted(text: str) -> str:
    """Free text without passwords in URLs, lines that set a secret, and private keys."""
    if plaintext.PRIVATE_KEY.search(text):
        return SECRET
    text = plaintext.URL.sub(lambda found: _without(found[0], found[1]), text)
    return plaintext.FILE_LINE.sub(
        lambda found: (
            found[0] if plaintext.NO_SECRET.fullmatch(found[1]) else _without(found[0], found[1])
        ),
        text,
    )


def looks_secret(name: str, value: str) -> bool:
    """Whether a value should not be shown, by its name or by what it is."""
    return name not in REFERENCES and any(True for _ in plaintext.in_variable(name, value))


def _below(kind: str, path: Path, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _below(kind, (*path, str(key)), item) for key, item in value.items()}
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return [_below(kind, (*path, f"[{_item(item)}]"), item) for item in value]
    return hidden(kind, path, value)


def _item(item: Any) -> str:
    return str(item.get("name", "")) if isinstance(item, dict) else ""


def _name(path: Path) -> str:
    """What a leaf is called: a variable by its name, anything else by its key."""
    if len(path) > 1 and path[-1] == "value":
        return path[-2].strip("[]")
    return path[-1].strip("[]") if path else ""


def _named(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if "\n" in value:
        return redacted(value)
    return SECRET if looks_secret(name, value) else value


def _arguments(values: Iterable[Any]) -> list[Any]:
    """Arguments, without the value of an option that takes a secret."""
    result: list[Any] = []
    before = ""
    for value in values:
        text = str(value)
        option, equals, given = text.partition("=")
        if text.startswith("-") and equals and looks_secret(option.lstrip("-"), given):
            result.append(f"{option}={SECRET}")
        elif before.startswith("-") and looks_secret(before.lstrip("-"), text):
            result.append(SECRET)
        else:
            result.append(_named("", value))
        before = text
    return result


def _without(text: str, secret: str) -> str:
    start = text.rindex(secret)
    return text[:start] + SECRET + text[start + len(secret) :]
