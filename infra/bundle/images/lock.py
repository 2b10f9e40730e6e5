"""images.lock.yaml: which digest the registry gave to each content tag."""

import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from ..settings.schema import Settings
from .specs import ROOT, cache

HEADER = "# Written by image builds: name, content tag and index digest. Commit it.\n"


class LockError(Exception):
    """The lock cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Entry:
    """A built image: its content tag and the digest (`sha256:…`) that stands for it."""

    tag: str
    digest: str


def path(settings: Settings) -> Path:
    """The environment's lock: the committed one, or for stand-in images one in the cache."""
    if settings.images.lock == "committed":
        return ROOT / "images.lock.yaml"
    return cache() / "images.lock.yaml"


def read(file: Path) -> dict[str, Entry]:
    """Entries by image name; empty before the first build. Raises LockError for a broken file."""
    if not file.exists():
        return {}
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        return {name: Entry(entry["tag"], entry["digest"]) for name, entry in data.items()}
    except (TypeError, KeyError, AttributeError, yaml.YAMLError) as error:
        raise LockError(
            f"{file} is no lock of images ({error!r}). Restore it from git, or delete it and build "
            "again with make images"
        ) from error


def record(file: Path, name: str, entry: Entry) -> None:
    """Write one image's entry, keeping the others; the file is replaced at once."""
    entries = {**read(file), name: entry}
    data = {key: {"tag": e.tag, "digest": e.digest} for key, e in sorted(entries.items())}
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.write_text(HEADER + yaml.safe_dump(data, sort_keys=True), encoding="utf-8")
    fresh.replace(file)
