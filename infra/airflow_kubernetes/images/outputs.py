"""How the result of a build is written: names, layers and caches, the same for both engines."""

from ..settings.schema import Settings
from . import references
from .specs import ImageSpec


def architecture(platform: str) -> str:
    """`linux/arm64` as `arm64`."""
    return platform.partition("/")[2]


def tag(settings: Settings, spec: ImageSpec, platform: str) -> str:
    """The tag of one platform's image, beside that of the index."""
    return f"{references.by_tag(settings, spec)}-{architecture(platform)}"


def export(settings: Settings, spec: ImageSpec) -> str:
    """BuildKit's image exporter. Only what the content says enters the digest: no dates.

    Layers are rewritten only where the Dockerfile does not date its files itself: that takes longer
    than to build a changed DAG. Source: BuildKit's docs/build-repro.md (needs SOURCE_DATE_EPOCH as
    a build argument).
    """
    rewrite = "" if spec.dated else "rewrite-timestamp=true,"
    return (
        f"type=image,push=true,oci-mediatypes=true,{rewrite}"
        f"compression={settings.images.compression},force-compression=true"
    )


def cache(settings: Settings, spec: ImageSpec, platform: str) -> tuple[str, ...]:
    """Where the build cache of one platform comes from and goes to; nothing without `images.cache`.

    It is an image of its own beside the image's tags, in a form that every registry takes.
    """
    if not settings.images.cache:
        return ()
    place = (
        f"type=registry,ref={settings.images.registry}/{spec.name}:cache-{architecture(platform)}"
    )
    return place, f"{place},mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true"
