"""images.lock.yaml: the digests that the registry gave to content tags, and those of bases."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..errors import UserError
from ..settings.schema import Settings
from .specs import ROOT, cache

HEADER = (
    "# Written by image builds; commit it. images: name, content tag and index digest.\n"
    "# bases: what they are built on; without its line, a base's newest image is taken.\n"
)


class LockError(UserError):
    """The lock cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Entry:
    """A built image: its content tag and the digest (`sha256:…`) of its index."""

    tag: str
    digest: str


@dataclass(frozen=True)
class Lock:
    """Built images by name, and the digests of base images by reference."""

    images: Mapping[str, Entry] = field(default_factory=dict)
    bases: Mapping[str, str] = field(default_factory=dict)


def path(settings: Settings) -> Path:
    """The environment's lock: the committed one, or for stand-in images one in the cache."""
    if settings.images.lock == "committed":
        return ROOT / "images.lock.yaml"
    return cache() / "sandbox.lock.yaml"


def read(file: Path) -> Lock:
    """The lock; an empty one before the first build. Raises LockError for a broken file."""
    if not file.exists():
        return Lock()
    try:
        data = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or {}
        return Lock(
            {name: Entry(one["tag"], one["digest"]) for name, one in data["images"].items()},
            {image: str(digest) for image, digest in data["bases"].items()},
        )
    except (TypeError, KeyError, AttributeError, yaml.YAMLError) as error:
        raise LockError(
            f"{file} is no lock of images ({error!r}). Restore it from git, or delete it and build "
            "again with make images"
        ) from error


def record(file: Path, name: str, entry: Entry) -> None:
    """Write one image's entry, keeping the others."""
    known = read(file)
    _write(file, Lock({**known.images, name: entry}, known.bases))


def record_base(file: Path, image: str, digest: str) -> None:
    """Write one base image's digest, keeping the others."""
    known = read(file)
    _write(file, Lock(known.images, {**known.bases, image: digest}))


def _write(file: Path, wanted: Lock) -> None:
    """Replaces the file at once, so that nobody reads half of it."""
    data: dict[str, dict[str, Any]] = {
        "bases": dict(wanted.bases),
        "images": {
            name: {"tag": one.tag, "digest": one.digest} for name, one in wanted.images.items()
        },
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.write_text(HEADER + yaml.safe_dump(data), encoding="utf-8")
    fresh.replace(file)
