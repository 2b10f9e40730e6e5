"""Builds the images that an environment's registry lacks, with buildx.

For `make images` and the kubectl engine; under Pulumi images/resources.py builds them.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ..airflow import image_catalog
from ..console import say
from ..errors import CommandError
from ..images import buildx, lock, references
from ..images.failures import BuildError
from ..images.specs import ImageSpec
from ..kubernetes.manifest import Manifest
from ..policies.containers import not_built
from ..registry.client import resolve
from ..registry.login import given
from ..registry.reference import NotFoundError
from ..render import objects
from ..settings.schema import Settings
from .target import Target

ATTEMPTS = 3
"""How often images are built and objects rendered until both are of the same files."""


def images(target: Target) -> None:
    """Build what the registry lacks. Raises CommandError where the environment builds nothing."""
    if not target.settings.images.build:
        raise CommandError(
            f"{target.environment} builds no images (images.build is false): run make images for "
            "an environment that does, or copy its images with make promote"
        )
    ensure(target.settings)


def pin_bases(settings: Settings) -> None:
    """Write the digests of base images that the lock lacks into it, where images are built.

    Those of stand-ins are looked up every time: they change with the sandbox. Raises RegistryError.
    """
    if not settings.images.build:
        return
    known = lock.read(lock.path(settings)).bases
    bases = {spec.base.partition("@")[0] for spec in image_catalog.every(settings)}
    if settings.images.lock == "committed":
        bases -= known.keys()
    with ThreadPoolExecutor() as pool:
        digests = dict(zip(bases, pool.map(partial(_base, settings), bases), strict=True))
    new = {image: digest for image, digest in digests.items() if digest != known.get(image)}
    lock.update(lock.path(settings), bases=new)
    for image, digest in sorted(new.items()):
        say(f"{image}: {digest}")


def ensure(settings: Settings, specs: Sequence[ImageSpec] = ()) -> dict[str, str]:
    """`registry/name:tag@digest` by `registry/name:tag` of these images, by default of all; the
    registry has them.

    Where the environment builds, each is built and pushed if the registry lacks it; the lock names
    an image only once it is pushed. Raises BuildError if an image is missing and cannot be built
    here, RegistryError if the registry does not answer.
    """
    pin_bases(settings)
    specs = specs or image_catalog.every(settings)
    locked = [references.locked(settings, spec) for spec in specs]
    with ThreadPoolExecutor() as pool:
        present = list(pool.map(_in_registry, locked))
    images: dict[str, str] = {}
    for spec, reference, is_present in zip(specs, locked, present, strict=True):
        by_tag = references.by_tag(settings, spec)
        if reference is not None and is_present:
            say(f"{by_tag}: unchanged")
            images[by_tag] = reference
        elif settings.images.build:
            on = images[references.by_tag(settings, spec.on)] if spec.on else None
            images[by_tag] = build(settings, spec, on)
        elif reference is None:
            raise BuildError(references.missing(settings, spec))
        else:
            raise BuildError(
                f"the registry has no {reference}, which the lock names. Copy it there from the "
                "environment that built it: make promote TO=<this environment> ENV=<that one>"
            )
    return images


def deployable(target: Target) -> list[Manifest]:
    """The environment's objects, with the images that the registry has by now.

    Raises BuildError, RegistryError, and CommandError if files change meanwhile.

    Another `up` with other values may write its images into the same lock meanwhile.
    """
    for _ in range(ATTEMPTS):
        ensure(target.settings)
        rendered = objects(target.environment, target.overrides)
        if not not_built(rendered, target.settings):
            return rendered
    raise CommandError("an image's files changed while it was built; run make up again")


def build(settings: Settings, spec: ImageSpec, on: str | None = None) -> str:
    """Build and push an image for each platform and their index; returns the index by digest.

    `on` is the reference by digest of `spec.on`. Raises BuildError, RegistryError; the lock is
    written last.
    """
    buildx.prepare(settings)
    platforms = [buildx.build(settings, spec, platform, on) for platform in spec.platforms]
    by_tag = references.by_tag(settings, spec)
    reference = f"{by_tag}@{buildx.push_index(by_tag, platforms)}"
    name = lock.key(settings, spec.name, spec.tag)
    lock.update(lock.path(settings), {name: lock.Entry.of(reference)})
    return reference


def _base(settings: Settings, image: str) -> str:
    """The digest of a base image; the environment's login is for its own registry alone."""
    own = image.startswith(f"{settings.images.registry.partition('/')[0]}/")
    return resolve(image, given() if own else None)


def _in_registry(reference: str | None) -> bool:
    """Whether the registry has it. Raises RegistryError if that cannot be known."""
    if reference is None:
        return False
    try:
        resolve(reference, given())
    except NotFoundError:
        return False
    return True
