"""Images made by hand and pushed with the client under test."""

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from typing import Any

from airflow_kubernetes.registry.attachments import SBOM_FILE
from airflow_kubernetes.registry.oci import INDEX, MANIFEST, Descriptor, Manifest, canonical
from airflow_kubernetes.registry.repository import Repository
from backports import zstd

DOCUMENT = b'{"bomFormat": "CycloneDX", "components": [{"name": "pandas"}]}'
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class Image:
    """An index, and its platforms' manifests."""

    index: Manifest
    platforms: tuple[Manifest, ...]


def push_image(repository: Repository, tag: str, content: str, sbom: bytes = DOCUMENT) -> Image:
    """Two platforms of two layers each, as builds leave them: `tag`, `tag`-amd64 and -arm64."""
    platforms = []
    for architecture, compression in (("amd64", "zstd"), ("arm64", "gzip")):
        layers = [
            layer(repository, "bin/program", f"{content} {architecture}".encode(), compression),
            layer(repository, SBOM_FILE, sbom, compression),
            layer(repository, "etc/last", b"", compression),
        ]
        config = blob(repository, CONFIG, canonical({"architecture": architecture, "os": "linux"}))
        body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        # Not `canonical`: that the bytes stay as they are must not depend on how we write JSON.
        one = Manifest(json.dumps(body, indent=3).encode(), MANIFEST)
        repository.put(one, f"{tag}-{architecture}")
        platforms.append((architecture, one))
    entries = [
        {**one.descriptor, "platform": {"architecture": architecture, "os": "linux"}}
        for architecture, one in platforms
    ]
    body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    index = Manifest(json.dumps(body, indent=3).encode(), INDEX)
    repository.put(index, tag)
    return Image(index, tuple(one for _, one in platforms))


def layer(repository: Repository, path: str, content: bytes, compression: str) -> Descriptor:
    """A layer of one file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tree:
        info = tarfile.TarInfo(path)
        info.size = len(content)
        tree.addfile(info, io.BytesIO(content))
    packed: Any = {"gzip": lambda raw: gzip.compress(raw, mtime=0), "zstd": zstd.compress}
    return blob(repository, f"{LAYER}+{compression}", packed[compression](buffer.getvalue()))


def blob(repository: Repository, media_type: str, content: bytes) -> Descriptor:
    """Push a blob; its descriptor."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    repository.upload(digest, len(content), [content])
    return {"mediaType": media_type, "digest": digest, "size": len(content)}
