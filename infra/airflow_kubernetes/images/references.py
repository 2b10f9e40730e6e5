"""References to images: by tag while objects are built and hashed, by digest when applied."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pulumi

from ..kubernetes.manifest import Manifest
from ..paths import ROOT
from ..settings.schema import Settings
from . import lock
from .specs import ImageSpec


def by_tag(settings: Settings, spec: ImageSpec) -> str:
    """`registry/name:tag`. The tag changes with the content, so objects may be hashed with it."""
    return f"{settings.images.registry}/{spec.name}:{spec.tag}"


def locked(settings: Settings, spec: ImageSpec) -> str | None:
    """`registry/name:tag@digest` if the lock knows this content, else None."""
    name = lock.key(settings, spec.name, spec.tag)
    entry = lock.read(lock.path(settings)).images.get(name)
    if entry is None or entry.tag != spec.tag:
        return None
    return f"{by_tag(settings, spec)}@{entry.digest}"


def missing(settings: Settings, spec: ImageSpec) -> str:
    """The message for an image that the lock does not have, in an environment that builds none."""
    file = os.path.relpath(lock.path(settings), ROOT)
    return (
        f"{file} has no {spec.name}:{spec.tag}, the image of this checkout, and this environment "
        "builds none (images.build: false). Build it where images.build is true, `make images "
        "ENV=dev`, and commit the lock"
    )


def obstacles(settings: Settings, specs: Iterable[ImageSpec]) -> list[str]:
    """Why these images cannot be deployed with the lock as it is: no digest of a base to build on,
    or no image where the environment builds none.
    """
    if not settings.images.build:
        return [missing(settings, spec) for spec in specs if locked(settings, spec) is None]
    file = os.path.relpath(lock.path(settings), ROOT)
    bases = sorted({spec.base for spec in specs if "@" not in spec.base})
    return [f"{file} has no digest of {base}: make images, or make up, adds it" for base in bases]


def map_strings(value: Any, change: Callable[[str], Any]) -> Any:
    """Plain data with `change` applied to every string value (not to keys)."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: map_strings(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [map_strings(item, change) for item in value]
    return value


def pinned(obj: Manifest, digests: Mapping[str, pulumi.Input[str]]) -> Manifest:
    """The object with every reference by tag replaced by the one by digest: `digests[tag]`.

    Done last, so that no name or checksum depends on a digest: a preview may not know it yet.
    """

    def pin(text: str) -> Any:
        named = {by_tag: by_digest for by_tag, by_digest in digests.items() if by_tag in text}
        if not named:
            return text
        return pulumi.Output.all(**named).apply(lambda known: _replace(text, known))

    result: Manifest = map_strings(obj, pin)
    return result


def _replace(text: str, digests: Mapping[str, str]) -> str:
    """The text with each key of `digests` replaced by its value."""
    for by_tag, by_digest in digests.items():
        text = text.replace(by_tag, by_digest)
    return text
