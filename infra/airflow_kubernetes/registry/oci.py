"""What registries keep: references, manifests and their descriptors, as the OCI specifies them.

https://github.com/opencontainers/image-spec/blob/v1.1.1/spec.md
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from ..errors import UserError

DOCKER_HUB = "docker.io"

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEXES = (INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFESTS = (MANIFEST, "application/vnd.docker.distribution.manifest.v2+json")

Descriptor = dict[str, Any]
"""mediaType, digest and size of some content, and what else is said of it."""


class RegistryError(UserError):
    """A registry did not do what was asked; the message says why and what to do."""


class NotFoundError(RegistryError):
    """The registry answers, and has no such manifest, blob or repository."""


class UnsupportedError(RegistryError):
    """The registry does not offer this part of the API."""


@dataclass(frozen=True)
class Reference:
    """`host/repository[:tag][@digest]`; the host may have a port."""

    host: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Docker's rules: without a host it is Docker Hub, and there `library/` is understood.

        Raises RegistryError.
        """
        found = re.fullmatch(
            r"(?:(?P<host>localhost|[^/@]*[.:][^/@]*)/)?(?P<repository>[^:@]+)"
            r"(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
            text,
        )
        if found is None:
            raise RegistryError(f"{text!r} is no reference to an image: host/name:tag@sha256:…")
        host, repository = found["host"] or DOCKER_HUB, found["repository"]
        if host in ("index.docker.io", "registry-1.docker.io"):
            host = DOCKER_HUB
        if host == DOCKER_HUB and "/" not in repository:
            repository = f"library/{repository}"
        if host == DOCKER_HUB and repository.count("/") > 1:
            raise RegistryError(
                f"{text}: Docker Hub has one level of repositories below an account. Set "
                "images.registry to docker.io/<account>"
            )
        return cls(host, repository, found["tag"], found["digest"])

    @property
    def name(self) -> str:
        """`host/repository`."""
        return f"{self.host}/{self.repository}"


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index: the exact bytes, whose SHA-256 is the digest."""

    raw: bytes
    media_type: str

    @property
    def digest(self) -> str:
        """`sha256:…` of the bytes."""
        return f"sha256:{hashlib.sha256(self.raw).hexdigest()}"

    @property
    def content(self) -> dict[str, Any]:
        """The bytes, parsed."""
        parsed: dict[str, Any] = json.loads(self.raw)
        return parsed

    @property
    def descriptor(self) -> Descriptor:
        """What another manifest's `subject`, or an index, says of this one."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.raw)}

    @property
    def children(self) -> list[Descriptor]:
        """The manifests that an index joins; none for an image."""
        return self.content["manifests"] if self.media_type in INDEXES else []

    @property
    def blobs(self) -> list[Descriptor]:
        """An image's configuration and layers; none for an index."""
        if self.media_type in INDEXES:
            return []
        return [self.content["config"], *self.content["layers"]]


def canonical(data: Any) -> bytes:
    """JSON of which there is one spelling, so that what is pushed twice has one digest."""
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


def referrers_tag(digest: str) -> str:
    """The tag under which a manifest's referrers are listed where the registry lists none."""
    return digest.replace(":", "-")
