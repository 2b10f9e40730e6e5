"""images.lock.yaml: the digests of built images, by content tag, and of base images."""

import fcntl
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from ..errors import UserError
from ..paths import ROOT, cache
from ..settings import document
from ..settings.fields import ImageName, Name, Section
from ..settings.problems import SettingsError, listed
from ..settings.schema import Settings
from ..settings.validation import validated

HEADER = (
    "# Written by image builds; commit it. images: name, content tag and index digest.\n"
    "# bases: base images; delete a line to take the newest image of that base.\n"
)

LIMIT = 500
"""Images in a lock. That in the cache grows with each build; what it loses is only built again."""


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


def _matching(pattern: str, words: str) -> AfterValidator:
    def check(text: str) -> str:
        if re.fullmatch(pattern, text, re.ASCII) is None:
            raise PydanticCustomError("form", "should be {words}", {"words": words})
        return text

    return AfterValidator(check)


# https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
_Tag = Annotated[str, _matching(r"\w[\w.-]{0,127}", "up to 128 letters, digits, _, . and -")]
_Digest = Annotated[str, _matching(r"sha256:[0-9a-f]{64}", "sha256: and 64 hexadecimal digits")]


class _Entry(Section):
    tag: _Tag
    digest: _Digest


class _File(Section):
    images: dict[Name, _Entry]
    bases: dict[ImageName, _Digest]


def path(settings: Settings) -> Path:
    """The environment's lock: the committed one, or for stand-in images one in the cache."""
    if settings.images.lock == "committed":
        return ROOT / "images.lock.yaml"
    return cache() / "sandbox.lock.yaml"


def key(settings: Settings, name: str, tag: str) -> str:
    """The name under which the environment's lock has an image.

    The lock in the cache has one for each content: checkouts and namespaces share it.
    """
    return name if settings.images.lock == "committed" else f"{name}-{tag}"


def names(file: Path) -> set[str]:
    """The names of the images in a lock. Raises LockError."""
    return {name.removesuffix(f"-{entry.tag}") for name, entry in read(file).images.items()}


def read(file: Path) -> Lock:
    """The lock; an empty one before the first build.

    It decides what runs, so it is checked to the last digit. Raises LockError for a broken file.
    """
    if not os.path.lexists(file):
        return Lock()
    shown = file.name if file.parent == ROOT else str(file)
    try:
        found = validated(_File, document.read(file, shown), "missing from the lock")
    except SettingsError as error:
        raise LockError(
            f"{shown} is not a lock of images. Restore it from git, or delete it and build again "
            "with make images:\n" + "\n".join(listed(error.problems))
        ) from None
    images = {name: Entry(entry.tag, entry.digest) for name, entry in found.images.items()}
    return Lock(images, found.bases)


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
        kept = dict([*known.images.items()][-LIMIT:])
        new = Lock({**kept, **(images or {})}, {**known.bases, **(bases or {})})
        if new != known:
            fresh = file.with_name(f"{file.name}.{os.getpid()}")
            fresh.write_text(HEADER + document.dump(asdict(new)), encoding="utf-8")
            fresh.replace(file)
