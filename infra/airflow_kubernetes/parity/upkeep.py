"""What must be tidied up in one environment's own files: stale, expired, out of place."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path as FilePath
from typing import Any

from ..comparison.leaves import MISSING
from ..settings import expiry
from ..settings.bounds import at
from ..settings.document import Document, read
from ..settings.problems import Path, dotted
from .disparity import Disparity

CONTEXT = "kubernetes:context"
STACK_KEYS = ("config", "encryptionsalt", "encryptedkey", "secretsprovider")
"""What Pulumi.<env>.yaml may hold; the last three say how its secrets are encrypted."""


def values(environment: str, directory: FilePath, today: date) -> Iterator[Disparity]:
    """Lines of values/<env>.yaml that say nothing, or no longer hold."""
    common = read(directory / "common.yaml", f"{directory.name}/common.yaml")
    own = read(directory / f"{environment}.yaml", f"{directory.name}/{environment}.yaml")
    yield from _stale(environment, own, common)
    yield from _days(environment, own, common, today)


def stack(environment: str, root: FilePath) -> Iterator[Disparity]:
    """What Pulumi.<env>.yaml holds beside the cluster's context and encrypted entries."""
    file = f"Pulumi.{environment}.yaml"
    document = read(root / file, file)
    config = document.data.get("config") or {}
    if not config.get(CONTEXT):
        yield Disparity(
            "configuration",
            file,
            CONTEXT,
            ((environment, MISSING),),
            f"names no cluster: add `{CONTEXT}: <context>` below config",
        )
    where: list[tuple[Path, Any, str]] = [
        ((key,), value, "take it out: environments differ in values/ alone")
        for key, value in document.data.items()
        if key not in STACK_KEYS
    ]
    where += [
        (
            ("config", key),
            value,
            "is not encrypted: settings belong into values/, secrets are set with "
            f"`pulumi config set --secret {key} --stack {environment}`",
        )
        for key, value in config.items()
        if key != CONTEXT and not (isinstance(value, dict) and list(value) == ["secure"])
    ]
    for path, value, remedy in where:
        place = f"{file}:{document.lines[path]}"
        yield Disparity("configuration", place, str(path[-1]), ((environment, value),), remedy)


def _stale(environment: str, own: Document, common: Document) -> Iterator[Disparity]:
    for path, value in _set(expiry.without(own).data, ()):
        if value in ({}, at(common.data, path)):
            yield Disparity(
                "stale",
                f"{own.file}:{own.lines[path]}",
                dotted(path),
                ((environment, value), ("common", at(common.data, path))),
                "says what values/common.yaml says already: remove it",
            )


def _set(data: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Each value that a file sets: what merges with common.yaml is taken apart."""
    if isinstance(data, dict) and data:
        for key, value in data.items():
            yield from _set(value, (*path, key))
    elif path:
        yield path, data


def _days(environment: str, own: Document, common: Document, today: date) -> Iterator[Disparity]:
    for name, day in expiry.days(own).items():
        path: Path = tuple(name.split("."))
        place = f"{own.file}:{own.lines[expiry.KEY, name]}"
        ours, theirs = at(own.data, path), at(common.data, path)
        both = ((environment, ours), ("common", theirs))
        if ours is None:
            remedy = f"{expiry.KEY}: is for a difference that there is no longer: remove it"
            yield Disparity("stale", place, name, ((environment, theirs), both[1]), remedy)
        elif day < today:
            setting = f"{own.file}:{own.lines[path]}"
            remedy = (
                f"was to end on {day}: take it out here and in {setting}, or agree on a new day"
            )
            yield Disparity("expired", place, name, both, remedy)
