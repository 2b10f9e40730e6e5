"""Registries: a repository's manifests, blobs and tags over the OCI distribution API.

https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""

from collections.abc import Iterable, Iterator

from dxf.exceptions import DXFMountFailed

from . import login as logins
from .login import Login
from .oci import (
    INDEX,
    INDEXES,
    MANIFESTS,
    Descriptor,
    Manifest,
    NotFoundError,
    Reference,
    RegistryError,
    UnsupportedError,
    canonical,
    referrers_tag,
)
from .transport import Body, Client, translated

CHUNK = 1 << 20
"""Bytes of a blob in memory at a time."""


def resolve(reference: str, login: Login | None = None) -> str:
    """The digest of the manifest that `registry/name[:tag][@digest]` names.

    Without a login, the one in Docker's configuration is used. Raises NotFoundError if it is not
    there, RegistryError or LoginError if that cannot be known.
    """
    parsed = Reference.parse(reference)
    wanted = parsed.digest or parsed.tag or "latest"
    with Repository(parsed.name, login) as repository:
        digest = repository.digest(wanted)
    if digest is None:
        raise NotFoundError(f"{parsed.name} has no {wanted}")
    return digest


class Repository:
    """One repository of a registry, `host/name`; close it, or use it as a context manager.

    Without a login, the one in Docker's configuration is used. Every method raises RegistryError.
    """

    def __init__(self, name: str, login: Login | None = None) -> None:
        self.reference = Reference.parse(name)
        self._client = Client(self.reference, login or logins.known(self.reference.host))

    def __enter__(self) -> "Repository":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.session.close()

    def digest(self, reference: str) -> str | None:
        """The digest of a tag's or digest's manifest; None if it is not there (HEAD)."""
        headers = {"Accept": ", ".join((*INDEXES, *MANIFESTS))}
        try:
            answer = self._client.call("head", f"manifests/{reference}", headers=headers)
        except NotFoundError:
            return None
        given: str | None = answer.headers.get("Docker-Content-Digest")
        return given or self.manifest(reference).digest

    def manifest(self, reference: str) -> Manifest:
        """A tag's or digest's manifest. Raises NotFoundError."""
        headers = {"Accept": ", ".join((*INDEXES, *MANIFESTS))}
        answer = self._client.call("get", f"manifests/{reference}", headers=headers)
        found = Manifest(answer.content, answer.headers["Content-Type"].partition(";")[0])
        if reference.startswith("sha256:") and found.digest != reference:
            raise RegistryError(
                f"{self.reference.name} gave other content than {reference} names: a proxy or the "
                "registry's storage spoils it"
            )
        return found

    def put(self, manifest: Manifest, tag: str | None = None) -> None:
        """Push a manifest, all of whose blobs are there, by its digest or under a tag."""
        answer = self._client.call(
            "put",
            f"manifests/{tag or manifest.digest}",
            data=manifest.raw,
            headers={"Content-Type": manifest.media_type},
        )
        subject = manifest.content.get("subject")
        if subject and "OCI-Subject" not in answer.headers:
            self._tag_referrer(subject["digest"], manifest)

    def has_blob(self, digest: str) -> bool:
        """Whether the blob is there (HEAD)."""
        try:
            self._client.call("head", f"blobs/{digest}")
        except NotFoundError:
            return False
        return True

    def blob(self, digest: str) -> Iterator[bytes]:
        """A blob in chunks; the last one only if all of it was what the digest says."""
        with translated(self.reference.name):
            yield from self._client.pull_blob(digest, chunk_size=CHUNK)  # type: ignore[misc]

    def upload(self, digest: str, size: int, chunks: Iterable[bytes]) -> None:
        """Push a blob of `size` bytes without holding it in memory."""
        self._client.push_blob(data=Body(size, chunks), digest=digest, check_exists=False)

    def mount(self, source: Reference, digest: str) -> bool:
        """Take a blob from another repository of the same registry; False if it will not."""
        try:
            self._client.mount_blob(source.repository, digest)
        except (DXFMountFailed, RegistryError):
            return False
        return True

    def tags(self) -> list[str]:
        """All tags; none where the repository does not exist."""
        try:
            return list(self._client.list_aliases(batch_size=1000, iterate=True))
        except NotFoundError:
            return []

    def delete(self, reference: str) -> None:
        """Delete a manifest by digest, which also deletes its tags. One that is gone is well.

        Raises UnsupportedError where the registry deletes nothing.
        """
        try:
            self._client.call("delete", f"manifests/{reference}")
        except NotFoundError:
            return

    def referrers(self, digest: str) -> list[Descriptor]:
        """What refers to a manifest: the registry's own list, or the one under the fallback tag."""
        try:
            answer = self._client.call("get", f"referrers/{digest}", headers={"Accept": INDEX})
            found: list[Descriptor] = answer.json()["manifests"]
        except (NotFoundError, UnsupportedError):
            return self._tagged_referrers(digest)
        return found

    def _tagged_referrers(self, digest: str) -> list[Descriptor]:
        try:
            return self.manifest(referrers_tag(digest)).children
        except NotFoundError:
            return []

    def _tag_referrer(self, subject: str, manifest: Manifest) -> None:
        """What the specification asks of clients where the registry keeps no list of referrers."""
        content = manifest.content
        entry = manifest.descriptor | {
            key: value
            for key, value in (
                ("artifactType", content.get("artifactType") or content["config"]["mediaType"]),
                ("annotations", content.get("annotations")),
            )
            if value
        }
        others = [
            one for one in self._tagged_referrers(subject) if one["digest"] != entry["digest"]
        ]
        index = {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": sorted([*others, entry], key=lambda one: str(one["digest"])),
        }
        self.put(Manifest(canonical(index), INDEX), referrers_tag(subject))
