"""Which of a repository's old images may go: never what anybody may still run.

Deleting by digest is the only way that all registries know, and it deletes every tag of the
digest. So a manifest goes only if nothing that stays leads to it: no tag, no index, no referrer.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from .oci import NotFoundError, referrers_tag
from .repository import Repository

BUILT = re.compile(r"[0-9a-f]{16}(-amd64|-arm64)?")
"""Tags that builds make. No other tag is ever touched: caches, and what people name."""

REFERRERS = re.compile(r"sha256-([0-9a-f]{64})")
"""Tags with lists of referrers, where the registry has no such list of its own."""


@dataclass
class Plan:
    """What to do with one repository: digests to delete, in order, and what that does to tags."""

    delete: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    """Tags that go with them."""
    kept: list[str] = field(default_factory=list)
    """Tags that stay because something names them, or something that stays shares the manifest."""


def plan(repository: Repository, named: Collection[str]) -> Plan:
    """What of a repository no text in `named` (of locks, of a cluster's objects …) still names.

    A build's tag stays if its tag or its digest stands there; everything else about it stays with
    it: its index, platforms, SBOM and provenance. Reads only. Raises RegistryError.
    """
    tags = {tag: digest for tag in repository.tags() if (digest := repository.digest(tag))}
    old = {
        tag
        for tag, digest in tags.items()
        if BUILT.fullmatch(tag)
        and not any(tag.partition("-")[0] in text or digest in text for text in named)
    }
    lists = {tag for tag in tags if REFERRERS.fullmatch(tag)}
    digests = _named_digests(named)
    stay = _reachable(repository, {*digests, *(tags[tag] for tag in tags.keys() - old - lists)})
    found = Plan()
    # What leads to the others goes last, so that a clean-up that was interrupted finds them again.
    for digest in reversed(_reachable(repository, {tags[tag] for tag in old})):
        if digest not in stay:
            if referrers_tag(digest) in tags:
                found.delete.append(tags[referrers_tag(digest)])
            found.delete.append(digest)
    found.tags = sorted(tag for tag, digest in tags.items() if digest in found.delete)
    found.kept = sorted(tag for tag in tags if BUILT.fullmatch(tag) and tag not in found.tags)
    return found


def carry_out(repository: Repository, wanted: Plan) -> None:
    """Delete it. Raises UnsupportedError where the registry deletes nothing; repeating is safe."""
    for digest in wanted.delete:
        repository.delete(digest)


def _named_digests(named: Collection[str]) -> set[str]:
    return {digest for text in named for digest in re.findall(r"sha256:[0-9a-f]{64}", text)}


def _reachable(repository: Repository, digests: Collection[str]) -> list[str]:
    """Manifests that these lead to: themselves, indexes first, then platforms, then referrers."""
    found: list[str] = []
    waiting = sorted(digests)
    while waiting:
        digest = waiting.pop(0)
        if digest in found:
            continue
        try:
            manifest = repository.manifest(digest)
        except NotFoundError:
            continue  # of another repository, or gone already
        found.append(digest)
        waiting += [child["digest"] for child in manifest.children]
        waiting += [referrer["digest"] for referrer in repository.referrers(digest)]
    return found
