"""Pulumi.<env>.yaml, before and after: plain configuration, and the names of encrypted entries.

https://www.pulumi.com/docs/iac/concepts/config/: an encrypted value is `{secure: …}`, anywhere in a
structured one; beside `config` stands what it is encrypted with.
"""

from dataclasses import dataclass
from typing import Any

import yaml

from ..comparison.leaves import MISSING, Path, dotted, leaves
from ..errors import UserError
from .fields import as_yaml
from .redaction import SECRET, looks_secret

CONTEXT = "config.kubernetes:context"
"""The entry that says which cluster the environment is on."""

ENCRYPTION = ("encryptionsalt", "encryptedkey", "secretsprovider")


@dataclass(frozen=True)
class Entry:
    """One entry that differs: `old` and `new` as YAML, None where there is none, and `[secret]`
    for what is encrypted or should be.
    """

    name: str
    old: str | None
    new: str | None
    encrypted: bool


class _UnreadableError(UserError):
    """The text is no YAML."""


def changed(before: str | None, after: str | None) -> tuple[Entry, ...]:
    """The entries in which two texts of the file differ; None is no file."""
    try:
        old, new = _entries(before), _entries(after)
    except _UnreadableError:
        return (Entry("(the whole file: it is no YAML)", SECRET, SECRET, encrypted=False),)
    return tuple(
        _entry(path, old.get(path, MISSING), new.get(path, MISSING))
        for path in sorted(old.keys() | new.keys())
        if old.get(path, MISSING) != new.get(path, MISSING)
    )


def _entries(text: str | None) -> dict[Path, Any]:
    try:
        found = leaves(yaml.load(text or "", Loader=yaml.CSafeLoader) or {})
    except yaml.YAMLError:
        raise _UnreadableError from None
    found.pop((), None)  # an empty file
    return found


def _entry(path: Path, old: Any, new: Any) -> Entry:
    encrypted = path[-1:] == ("secure",) or path[:1] in {(name,) for name in ENCRYPTION}
    name = dotted(path[:-1] if path[-1:] == ("secure",) else path)
    hide = encrypted or any(_plain_secret(path, one) for one in (old, new))
    before, after = (_shown(one, hide) for one in (old, new))
    return Entry(name, before, after, encrypted)


def _shown(value: Any, hide: bool) -> str | None:
    if value is MISSING:
        return None
    return SECRET if hide else as_yaml(value)


def _plain_secret(path: Path, value: Any) -> bool:
    return isinstance(value, str) and looks_secret(_last(path), value)


def _last(path: Path) -> str:
    return path[-1].rpartition(":")[2] if path else ""
