"""What is said of an image beside it: its bill of materials and where it comes from.

Both are referrers of each platform's manifest (OCI image specification 1.1, "subject"), pushed
after the build, so that the image's own digest depends on neither.
"""

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backports import zstd

from .login import Login
from .oci import MANIFEST, Descriptor, Manifest, Reference, RegistryError, canonical
from .repository import Repository

SBOM = "application/vnd.cyclonedx+json"
PROVENANCE = "application/vnd.in-toto+json"
SBOM_FILE = "usr/share/sbom/sbom.cdx.json"
"""Where the build leaves it in the image."""

BUILD_TYPE = "urn:airflow-kubernetes:image:v1"
"""Names the meaning of `externalParameters` below."""

EMPTY = b"{}"
"""The configuration of a manifest that is no image (media type application/vnd.oci.empty.v1)."""


@dataclass(frozen=True)
class Build:
    """What went into an image: for its provenance."""

    tag: str
    """The content tag, a hash of the context and all below."""
    arguments: tuple[tuple[str, str], ...]
    """The spec's build arguments: published, so no secret and no address of a proxy."""
    bases: tuple[tuple[str, str], ...]
    """References of base images, and their digests."""
    builder: str
    """The buildx builder."""
    commit: str | None = None
    """The checkout's commit, see `commit`."""


def commit(root: Path) -> str | None:
    """The checkout's commit if it holds just these files; None outside of git or with changes."""
    git = ["git", "-C", str(root)]
    try:
        changes = subprocess.run(
            [*git, "status", "--porcelain", "--", "images", "dags"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return None if changes.stdout.strip() else head.stdout.strip()


def attach(
    reference: str, build: Build, say: Callable[[str], None], login: Login | None = None
) -> list[str]:
    """Push SBOM and provenance of every platform of `registry/name[:tag]@digest`, if not there.

    Returns the digests of what was pushed; an image without SBOM is told and gets none. Raises
    RegistryError.
    """
    place = Reference.parse(reference)
    if place.digest is None:
        raise RegistryError(f"{reference}: attachments belong to a digest; name it")
    pushed = []
    with Repository(place.name, login) as repository:
        root = repository.manifest(place.digest)
        # What buildx may join to an index beside images, its own attestations, has no platform.
        platforms = [
            child["digest"]
            for child in root.children
            if child.get("platform", {}).get("architecture") != "unknown"
        ]
        for digest in platforms or [place.digest]:
            subject = repository.manifest(digest)
            there = {one.get("artifactType") for one in repository.referrers(digest)}
            # The first provenance stays: the same content may come from a later commit too.
            if SBOM not in there:
                document = sbom(repository, subject)
                if document is None:
                    say(f"warning: {reference} has no /{SBOM_FILE}: see docs/images.md")
                else:
                    pushed.append(_push(repository, subject, SBOM, document))
            if PROVENANCE not in there:
                # Without the folder: a copy in another registry is the same image.
                name = place.repository.rpartition("/")[2]
                said = canonical(statement(name, digest, build))
                pushed.append(_push(repository, subject, PROVENANCE, said))
    if pushed:
        say(f"{place.name}@{place.digest}: {len(pushed)} attachments (SBOM, provenance)")
    return pushed


def sbom(repository: Repository, image: Manifest) -> bytes | None:
    """The CycloneDX document that the image carries, if it does. Raises RegistryError."""
    # It is written last, so it is found in a small layer at the top.
    for layer in reversed(image.content["layers"]):
        found = _file(repository, layer)
        if found is not None:
            if json.loads(found).get("bomFormat") != "CycloneDX":
                raise RegistryError(f"/{SBOM_FILE} in {repository.reference.name} is no CycloneDX")
            return found
    return None


def statement(name: str, digest: str, build: Build) -> dict[str, Any]:
    """An in-toto statement with SLSA provenance; the same for the same build (no times).

    https://slsa.dev/spec/v1.0/provenance, https://github.com/in-toto/attestation
    """
    bases = [
        {"uri": f"docker-image://{reference}", "digest": {"sha256": base.removeprefix("sha256:")}}
        for reference, base in sorted(build.bases)
    ]
    source = [{"name": "source", "digest": {"gitCommit": build.commit}}] if build.commit else []
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "contentTag": build.tag,
                    "buildArguments": dict(sorted(build.arguments)),
                },
                "resolvedDependencies": [*source, *bases],
            },
            "runDetails": {"builder": {"id": f"urn:airflow-kubernetes:builder:{build.builder}"}},
        },
    }


def _push(repository: Repository, subject: Manifest, kind: str, content: bytes) -> str:
    """An artifact manifest of one layer (image specification, "Guidelines for Artifact Usage")."""
    config = _blob(repository, "application/vnd.oci.empty.v1+json", EMPTY)
    body = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": kind,
        "config": config,
        "layers": [_blob(repository, kind, content)],
        "subject": subject.descriptor,
    }
    manifest = Manifest(canonical(body), MANIFEST)
    repository.put(manifest)
    return manifest.digest


def _blob(repository: Repository, media_type: str, content: bytes) -> Descriptor:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if not repository.has_blob(digest):
        repository.upload(digest, len(content), [content])
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _file(repository: Repository, layer: Descriptor) -> bytes | None:
    """The SBOM's bytes, if this layer has it; the layer is read as it comes, not kept."""
    stream = io.BufferedReader(_Chunks(repository.blob(layer["digest"])))
    with tarfile.open(fileobj=unpacked(layer["mediaType"], stream), mode="r|") as tree:
        for member in tree:
            if member.isfile() and member.name.removeprefix("./") == SBOM_FILE:
                file = tree.extractfile(member)
                return file.read() if file else None
    return None


def unpacked(media_type: str, stream: Any) -> Any:
    """A layer's tar archive; compression is the end of its media type (OCI's or Docker's)."""
    if media_type.endswith("zstd"):
        return zstd.ZstdFile(stream)
    if media_type.endswith("gzip"):
        return gzip.GzipFile(fileobj=stream)
    return stream


class _Chunks(io.RawIOBase):
    """Chunks as a file to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = next(self._chunks, b"")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)
