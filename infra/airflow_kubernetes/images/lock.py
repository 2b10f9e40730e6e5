"""images.lock.yaml: the digests of built images, by content tag, and of base images."""

import fcntl
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import yaml

from ..errors import UserError
from ..paths import ROOT, cache
from ..settings.schema import Settings

HEADER = (
    "# Written by image builds; commit it. images: name, content tag and index digest.\n"
    "# bases: base images; delete a line to take the newest image of that base.\n"
)


class LockError(UserError):
    """The lock cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Entry:
    """A built image: its content tag and the digest (`sha256:…`) of its index."""

    tag: str
    digest: str

    @classmethod
    def of(cls, reference: str) -> "Entry":
        """The entry of `registry/name:tag@digest`."""
        by_tag, _, digest = reference.partition("@")
        return cls(by_tag.rpartition(":")[2], digest)


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
            {name: Entry(row["tag"], row["digest"]) for name, row in data["images"].items()},
            {image: str(digest) for image, digest in data["bases"].items()},
        )
    except (TypeError, KeyError, AttributeError, yaml.YAMLError) as error:
        raise LockError(
            f"{file} is not a lock of images ({error!r}). Restore it from git, or delete it and "
            "build again with make images"
        ) from error


def update(
    file: Path, images: Mapping[str, Entry] | None = None, bases: Mapping[str, str] | None = None
) -> None:
    """Write entries of images and digests of base images, keeping all others.

    Other processes that update it wait; a reader never sees half of the file.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    # Not the file itself, which is replaced. Closing it releases the lock, also after a kill.
    with file.with_name(f".{file.name}.flock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        known = read(file)
        new = Lock({**known.images, **(images or {})}, {**known.bases, **(bases or {})})
        if new != known:
            fresh = file.with_name(f"{file.name}.{os.getpid()}")
            fresh.write_text(HEADER + yaml.safe_dump(asdict(new)), encoding="utf-8")
            fresh.replace(file)
