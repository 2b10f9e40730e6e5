"""Copying an image from one repository to another, digest by digest.

Nothing is unpacked or written anew: the copy has the same digests as what was tested.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .oci import Manifest, RegistryError
from .repository import Repository

EVERY = 2.0
"""Seconds between two lines of progress."""


@dataclass
class Contents:
    """All that belongs to an image: manifests and sizes of blobs by digest.

    Manifests are in the order in which they may be pushed: each after what it refers to.
    """

    manifests: dict[str, Manifest] = field(default_factory=dict)
    blobs: dict[str, int] = field(default_factory=dict)


def contents(source: Repository, digest: str) -> Contents:
    """An image's or index's manifests and blobs, with its platforms' and all their referrers.

    Raises NotFoundError if something of it is missing.
    """
    found = Contents()
    _add(source, digest, found)
    return found


def _add(source: Repository, digest: str, found: Contents) -> None:
    if digest in found.manifests:
        return
    manifest = source.manifest(digest)
    for child in manifest.children:
        _add(source, child["digest"], found)
    found.blobs |= {blob["digest"]: int(blob["size"]) for blob in manifest.blobs}
    found.manifests[digest] = manifest
    for referrer in source.referrers(digest):
        _add(source, referrer["digest"], found)


def promote(
    source: Repository, target: Repository, tag: str, digest: str, say: Callable[[str], None]
) -> int:
    """Copy the image to `target` under `tag` and look that all of it is there; bytes sent.

    Blobs go first and the tag last, so that at no time is there a manifest with a part missing.
    What is there already is skipped, so an interrupted copy is just run again. Raises
    RegistryError.
    """
    started, name = time.monotonic(), target.reference.name
    whole = contents(source, digest)
    lacking = {blob: size for blob, size in whole.blobs.items() if not target.has_blob(blob)}
    new = [one for one in whole.manifests if target.digest(one) is None]
    progress = _Progress(f"{name}:{tag}", len(lacking), sum(lacking.values()), say)
    same = source.reference.host == target.reference.host
    for blob, size in lacking.items():
        if same and target.mount(source.reference, blob):
            progress.mounted(size)
        else:
            target.upload(blob, size, progress.counted(source.blob(blob)))
        progress.done()
    for one in new:
        target.put(whole.manifests[one])
    if target.digest(tag) != digest:
        target.put(whole.manifests[digest], tag)
    _verify(target, whole, lacking)
    parts = f"{len(whole.manifests)} manifests, {len(whole.blobs)} blobs"
    what = f"{len(new)} and {len(lacking)} of them new" if new or lacking else "all there already"
    seconds = time.monotonic() - started
    say(f"{name}:{tag}@{digest}: {parts}, {what}, {megabytes(progress.sent)}, {seconds:.1f} s")
    return progress.sent


def _verify(target: Repository, whole: Contents, copied: dict[str, int]) -> None:
    missing = [one for one in whole.manifests if target.digest(one) is None]
    missing += [blob for blob in copied if not target.has_blob(blob)]
    if missing:
        raise RegistryError(
            f"{target.reference.name} took {', '.join(missing)} and does not give it back: is it "
            "a cache in front of another registry? Run it again when it is mended"
        )


class _Progress:
    """How far a copy is: a line every few seconds, and one when all blobs are there."""

    def __init__(self, label: str, blobs: int, size: int, say: Callable[[str], None]) -> None:
        self._label, self._blobs, self._size, self._say = label, blobs, size, say
        self._finished, self._mounted, self.sent = 0, 0, 0
        self._started = self._said = time.monotonic()

    def counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.sent += len(chunk)
            self._line()
            yield chunk

    def mounted(self, size: int) -> None:
        self._mounted += size

    def done(self) -> None:
        self._finished += 1
        self._line()

    def _line(self) -> None:
        if self._finished < self._blobs and time.monotonic() - self._said < EVERY:
            return
        self._said = time.monotonic()
        mounted = f", {megabytes(self._mounted)} mounted" if self._mounted else ""
        self._say(
            f"{self._label}: {self._finished}/{self._blobs} blobs, {megabytes(self.sent)} of "
            f"{megabytes(self._size)} sent{mounted}, {self._said - self._started:.0f} s"
        )


def megabytes(size: int) -> str:
    """A size for people, in units of 10^6 bytes."""
    return f"{size / 1e6:.1f} MB"
