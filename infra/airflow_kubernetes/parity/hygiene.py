"""Entries of an environment's own files that must be removed: stale, expired, out of place."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path as FilePath
from typing import Any, Literal

from ..comparison.leaves import MISSING
from ..settings import expiry, stack_file
from ..settings.bounds import at
from ..settings.document import Document, read
from ..settings.problems import Path, dotted
from ..settings.stack_file import CONTEXT, ENCRYPTION


@dataclass(frozen=True)
class Disparity:
    """A difference that should not be; `location` is the line to change (`values/prod.yaml:7`).

    `subject` is the setting, or the resource and its field. `values` are the compared values, each
    with whose it is; MISSING where there is none.
    """

    kind: Literal["unexplained", "stale", "expired", "configuration"]
    location: str
    subject: str
    values: tuple[tuple[str, Any], ...]
    fix: str


def values(environment: str, directory: FilePath, today: date) -> Iterator[Disparity]:
    """Lines of values/<env>.yaml that repeat common.yaml, and expired or needless `until` dates."""
    common = read(directory / "common.yaml", f"{directory.name}/common.yaml")
    own = read(directory / f"{environment}.yaml", f"{directory.name}/{environment}.yaml")
    yield from _repeated(environment, own, common)
    yield from _dated(environment, own, common, today)


def stack(environment: str, root: FilePath) -> Iterator[Disparity]:
    """Whatever Pulumi.<env>.yaml holds except the cluster's context and encrypted entries."""
    document = stack_file.read(environment, root)
    file = document.file

    def disparity(path: Path, value: Any, fix: str) -> Disparity:
        line = document.lines.get(path)
        location = f"{file}:{line}" if line else file
        return Disparity("configuration", location, str(path[-1]), ((environment, value),), fix)

    config = document.data.get("config") or {}
    if not config.get(CONTEXT):
        fix = f"names no cluster: add `{CONTEXT}: <context>` below config"
        yield disparity((CONTEXT,), MISSING, fix)
    for key, value in document.data.items():
        if key not in ("config", *ENCRYPTION):
            yield disparity((key,), value, "remove it: environments differ in values/ only")
    for key, value in config.items():
        if key != CONTEXT and not _encrypted(value):
            fix = (
                "is not encrypted: a setting belongs in values/; set a secret with "
                f"`pulumi config set --secret {key} --stack {environment}`"
            )
            yield disparity(("config", key), "(not shown)", fix)  # it may be a password


def _encrypted(value: Any) -> bool:
    return isinstance(value, dict) and [*map(type, value.values())] == [str] and "secure" in value


def _repeated(environment: str, own: Document, common: Document) -> Iterator[Disparity]:
    for path, value in _entries(expiry.without(own).data, ()):
        usual = at(common.data, path)
        if value in ({}, usual):
            location, both = (
                f"{own.file}:{own.lines[path]}",
                ((environment, value), ("common", usual)),
            )
            fix = "repeats values/common.yaml: remove it"
            yield Disparity("stale", location, dotted(path), both, fix)


def _entries(data: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Each value that a file sets, by its path; those of mappings, too, because they are merged."""
    if isinstance(data, dict) and data:
        for key, value in data.items():
            yield from _entries(value, (*path, key))
    elif path:
        yield path, data


def _dated(environment: str, own: Document, common: Document, today: date) -> Iterator[Disparity]:
    for name, day in expiry.days(own).items():
        path: Path = tuple(name.split("."))
        location = f"{own.file}:{own.lines[expiry.KEY, name]}"
        value, usual = at(own.data, path), at(common.data, path)
        both = ((environment, usual if value is None else value), ("common", usual))
        if value is None:
            fix = "there is no such difference: remove it"
            yield Disparity("stale", location, name, both, fix)
        elif day < today:
            setting = f"{own.file}:{own.lines[path]}"
            fix = f"expired on {day}: remove it here and in {setting}, or agree on a new date"
            yield Disparity("expired", location, name, both, fix)
