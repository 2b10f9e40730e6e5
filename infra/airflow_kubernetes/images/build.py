"""The images of an environment in its registry: what is missing is built, with buildx.

For the kubectl engine and `make images`; Pulumi's way is resources.py.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ..registry.login import given
from ..registry.oci import NotFoundError
from ..registry.repository import resolve
from ..settings.schema import Settings
from . import buildx, catalog, lock, record, references
from .buildx import BuildError, Say
from .specs import ImageSpec


def pin_bases(settings: Settings, say: Say) -> None:
    """Write the digests of base images that the lock lacks into it, where images are built.

    Stand-ins are asked for every time: they change with the sandbox. Raises RegistryError.
    """
    if not settings.images.build:
        return
    known = lock.read(lock.path(settings)).bases
    wanted = {spec.base.partition("@")[0] for spec in catalog.every(settings)}
    if settings.images.lock == "committed":
        wanted -= known.keys()
    with ThreadPoolExecutor() as pool:
        digests = dict(zip(wanted, pool.map(partial(_base, settings), wanted), strict=True))
    for image, digest in sorted(digests.items()):
        if digest != known.get(image):
            lock.record_base(lock.path(settings), image, digest)
            say(f"{image}: {digest}")


def ensure(settings: Settings, say: Say) -> dict[str, str]:
    """`registry/name:tag@digest` of all images by `registry/name:tag`; the registry has them.

    Where the environment builds, each is built and pushed if the registry lacks it; the lock names
    an image only once its push is done. Raises BuildError if one cannot be had, RegistryError if
    the registry does not tell.
    """
    pin_bases(settings, say)
    specs = catalog.every(settings)
    known = [references.locked(settings, spec) for spec in specs]
    with ThreadPoolExecutor() as pool:
        there = list(pool.map(_in_registry, known))
    found: dict[str, str] = {}
    for spec, locked, present in zip(specs, known, there, strict=True):
        by_tag = references.by_tag(settings, spec)
        if locked is not None and present:
            say(f"{by_tag}: unchanged")
            found[by_tag] = locked
        elif settings.images.build:
            found[by_tag] = build(settings, spec, say)
        elif locked is None:
            raise BuildError(references.missing(settings, spec))
        else:
            raise BuildError(
                f"the registry has no {locked}, which the lock names. Copy it there from the "
                "environment that built it: make promote TO=<this environment> ENV=<that one>"
            )
    return found


def gone(settings: Settings) -> bool:
    """Whether what Pulumi's state may have is not there: this machine's builder, or an image that
    the lock names. Raises RegistryError.
    """
    if not settings.images.build:
        return False
    known = [references.locked(settings, spec) for spec in catalog.every(settings)]
    if settings.images.builder.driver is not None and not buildx.has_builder(settings):
        return True
    with ThreadPoolExecutor() as pool:
        return not all(pool.map(_in_registry, [one for one in known if one is not None]))


def build(settings: Settings, spec: ImageSpec, say: Say) -> str:
    """Build and push one image for each platform and their index; gives its reference by digest.

    Raises BuildError, RegistryError; the lock is written last.
    """
    buildx.prepare(settings, say)
    platforms = [buildx.build(settings, spec, platform, say) for platform in spec.platforms]
    by_tag = references.by_tag(settings, spec)
    digest = buildx.join(settings, by_tag, platforms)
    record.record(settings, spec, digest, say, given())
    return f"{by_tag}@{digest}"


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
