"""Images built manually, pushed to and read from a registry with plain requests and no login."""

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from typing import Any

import requests
from airflow_kubernetes.registry.client import ACCEPT, INDEXES, MANIFESTS
from backports import zstd

INDEX, MANIFEST = INDEXES[0], MANIFESTS[0]
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

Descriptor = dict[str, Any]
"""mediaType, digest and size of some content."""


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index: the exact bytes, whose SHA-256 is the digest."""

    raw: bytes
    media_type: str

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.raw).hexdigest()}"

    @property
    def content(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.raw)
        return parsed

    @property
    def descriptor(self) -> Descriptor:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.raw)}


@dataclass(frozen=True)
class Image:
    """An index, and its platforms' manifests."""

    index: Manifest
    platforms: tuple[Manifest, ...]


def push_image(name: str, tag: str, content: str) -> Image:
    """Two platforms of two layers each, as builds leave them: `tag`, `tag`-amd64 and -arm64."""
    platforms = []
    for architecture, compression in (("amd64", "zstd"), ("arm64", "gzip")):
        layers = [
            layer(name, "bin/program", f"{content} {architecture}".encode(), compression),
            layer(name, "etc/last", b"", compression),
        ]
        variables = {"Env": [f"CONTENT={content}", "OPTIONS=a=b"]}
        config = json.dumps({"architecture": architecture, "os": "linux", "config": variables})
        body = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": push_blob(name, CONFIG, config.encode()),
            "layers": layers,
        }
        # An indentation that nothing else writes: the bytes must stay as they are.
        platform = Manifest(json.dumps(body, indent=3).encode(), MANIFEST)
        push_manifest(name, platform, f"{tag}-{architecture}")
        platforms.append((architecture, platform))
    entries = [
        {**platform.descriptor, "platform": {"architecture": architecture, "os": "linux"}}
        for architecture, platform in platforms
    ]
    body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    index = Manifest(json.dumps(body, indent=3).encode(), INDEX)
    push_manifest(name, index, tag)
    return Image(index, tuple(platform for _, platform in platforms))


def layer(name: str, path: str, content: bytes, compression: str) -> Descriptor:
    """A layer of one file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tree:
        info = tarfile.TarInfo(path)
        info.size = len(content)
        tree.addfile(info, io.BytesIO(content))
    packed: Any = {"gzip": lambda raw: gzip.compress(raw, mtime=0), "zstd": zstd.compress}
    return push_blob(name, f"{LAYER}+{compression}", packed[compression](buffer.getvalue()))


def push_blob(name: str, media_type: str, content: bytes) -> Descriptor:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    upload = requests.post(f"{api(name)}/blobs/uploads/", timeout=10)
    upload.raise_for_status()
    location = upload.headers["Location"]
    requests.put(location, params={"digest": digest}, data=content, timeout=10).raise_for_status()
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def push_manifest(name: str, manifest: Manifest, tag: str) -> None:
    headers = {"Content-Type": manifest.media_type}
    address = f"{api(name)}/manifests/{tag}"
    requests.put(address, data=manifest.raw, headers=headers, timeout=10).raise_for_status()


def pull_manifest(name: str, reference: str) -> Manifest:
    answer = requests.get(f"{api(name)}/manifests/{reference}", headers=ACCEPT, timeout=10)
    answer.raise_for_status()
    return Manifest(answer.content, answer.headers["Content-Type"])


def pull_blob(name: str, digest: str) -> bytes:
    answer = requests.get(f"{api(name)}/blobs/{digest}", timeout=10)
    answer.raise_for_status()
    return answer.content


def pull(name: str, reference: str) -> dict[str, bytes]:
    """All that an image or index leads to, by digest."""
    manifest = pull_manifest(name, reference)
    whole = {manifest.digest: manifest.raw}
    for child in manifest.content.get("manifests", ()):
        whole |= pull(name, child["digest"])
    for blob in (manifest.content.get("config"), *manifest.content.get("layers", ())):
        if blob is not None:
            whole[blob["digest"]] = pull_blob(name, blob["digest"])
    return whole


def api(name: str) -> str:
    """The address of the repository `host/name` in the distribution API."""
    host, _, repository = name.partition("/")
    return f"http://{host}/v2/{repository}"
