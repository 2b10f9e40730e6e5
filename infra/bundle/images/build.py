"""The images of an environment in its registry: what is missing is built, with buildx.

For the kubectl engine and `make images`; Pulumi's way is resources.py.
"""

from concurrent.futures import ThreadPoolExecutor

from ..settings.schema import Settings
from . import buildx, catalog, lock, references
from .buildx import BuildError, Say
from .specs import ImageSpec


def pin_bases(settings: Settings, say: Say) -> None:
    """Write the digests of base images that the lock lacks into it, where images are built.

    Stand-ins are asked for every time: they change with the sandbox. Raises BuildError.
    """
    if not settings.images.build:
        return
    known = lock.read(lock.path(settings)).bases
    wanted = {spec.base.partition("@")[0] for spec in catalog.every(settings)}
    if settings.images.lock == "committed":
        wanted -= known.keys()
    with ThreadPoolExecutor() as pool:
        digests = dict(zip(wanted, pool.map(buildx.digest_of, wanted), strict=True))
    for image, digest in sorted(digests.items()):
        if digest is None:
            raise BuildError(f"base image {image}: the registry does not give it")
        if digest != known.get(image):
            lock.record_base(lock.path(settings), image, digest)
            say(f"{image}: {digest}")


def ensure(settings: Settings, say: Say) -> dict[str, str]:
    """`registry/name:tag@digest` of all images by `registry/name:tag`; the registry has them.

    Where the environment builds, each is built and pushed if the registry lacks it; the lock names
    an image only once its push is done. Raises BuildError if one cannot be had.
    """
    pin_bases(settings, say)
    specs = catalog.every(settings)
    known = [references.locked(settings, spec) for spec in specs]
    with ThreadPoolExecutor() as pool:
        there = list(pool.map(lambda one: one and buildx.digest_of(one), known))
    found: dict[str, str] = {}
    for spec, locked, digest in zip(specs, known, there, strict=True):
        by_tag = references.by_tag(settings, spec)
        if locked is not None and digest is not None:
            say(f"{by_tag}: unchanged")
            found[by_tag] = locked
        elif settings.images.build:
            found[by_tag] = build(settings, spec, say)
        elif locked is None:
            raise BuildError(references.missing(settings, spec))
        else:
            raise BuildError(
                f"the registry does not give {locked}. Check that you can reach it and are logged "
                "in; if it is not there, build it with make images where images.build is true"
            )
    return found


def build(settings: Settings, spec: ImageSpec, say: Say) -> str:
    """Build and push one image for each platform and their index; gives its reference by digest.

    Raises BuildError; the lock is written last.
    """
    buildx.prepare(settings, say)
    platforms = [buildx.build(settings, spec, platform, say) for platform in spec.platforms]
    by_tag = references.by_tag(settings, spec)
    digest = buildx.join(by_tag, platforms)
    lock.record(lock.path(settings), spec.name, lock.Entry(spec.tag, digest))
    return f"{by_tag}@{digest}"
