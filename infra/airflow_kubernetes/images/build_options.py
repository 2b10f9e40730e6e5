"""Options of a build that both engines give to BuildKit: tag, exporter, cache and secrets."""

import functools
import os
import re
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from ..settings.schema import Settings
from . import references
from .failures import BuildError
from .specs import ImageSpec

DEBIAN = Path("/usr/share/ca-certificates/mozilla")
"""Where Debian's package has the public authorities, one a file; others are elsewhere."""

CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def architecture(platform: str) -> str:
    """`arm64` of `linux/arm64`."""
    return platform.partition("/")[2]


def tag(settings: Settings, spec: ImageSpec, platform: str) -> str:
    """The tag of one platform's image: the index's tag and the architecture."""
    return f"{references.by_tag(settings, spec)}-{architecture(platform)}"


def export(settings: Settings, spec: ImageSpec) -> str:
    """BuildKit's image exporter. The digest depends on the content alone, not on dates.

    Layers are rewritten only where the Dockerfile does not date its files itself: rewriting takes
    longer than to build a changed DAG. Source: BuildKit's docs/build-repro.md (needs
    SOURCE_DATE_EPOCH as a build argument).
    """
    rewrite = "" if spec.dated else "rewrite-timestamp=true,"
    return (
        f"type=image,push=true,oci-mediatypes=true,{rewrite}"
        f"compression={settings.images.compression},force-compression=true"
    )


def cache(settings: Settings, spec: ImageSpec, platform: str) -> tuple[str, ...]:
    """Where one platform's build cache is read from and written to; empty without `images.cache`.

    It has a tag of its own next to the image's tags, in a form that every registry takes.
    """
    if not settings.images.cache:
        return ()
    source = (
        f"type=registry,ref={settings.images.registry}/{spec.name}:cache-{architecture(platform)}"
    )
    return source, f"{source},mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true"


def ca_file() -> str:
    """The file of certificate authorities that SSL_CERT_FILE names; empty without one.

    Behind a proxy that signs for other hosts, package downloads in RUN steps need them: builds get
    them as the secret `ca`, which is readable during those steps only and in no layer. Raises
    BuildError.
    """
    file = os.environ.get("SSL_CERT_FILE", "")
    if file and not (Path(file).is_file() and os.access(file, os.R_OK)):
        raise BuildError(f"SSL_CERT_FILE={file}: set it to a readable file, or unset it")
    return file


def private_authorities() -> str:
    """Those that are on no public list, in PEM: Pulumi keeps the secrets of builds in its state."""
    file = ca_file()
    if not file:
        return ""
    own = (found for found in _certificates(Path(file)) if found not in _public())
    return "".join(f"{certificate}\n" for certificate in own)


@functools.cache
def _public() -> set[str]:
    """Read once: every image of every platform asks, and Debian's list has a file for each."""
    lists = (Path(DEFAULT_CA_BUNDLE_PATH), *DEBIAN.rglob("*.crt"))
    return {certificate for path in lists for certificate in _certificates(path)}


def _certificates(file: Path) -> list[str]:
    return CERTIFICATE.findall(file.read_text(encoding="utf-8").replace("\r\n", "\n"))
