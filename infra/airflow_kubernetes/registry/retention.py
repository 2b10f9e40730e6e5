"""Which old images of a repository may be deleted: none that anybody may still run.

The only deletion that all registries support is by digest, and it deletes every tag of the digest.
So a manifest is deleted only if nothing that stays leads to it: no tag and no index.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from .client import Repository
from .reference import NotFoundError

BUILT = re.compile(r"[0-9a-f]{16}(-amd64|-arm64)?")
"""Tags that builds make. No other tag is ever touched: caches, and tags that people make."""


@dataclass(frozen=True)
class Plan:
    """What to delete of one repository, and what becomes of the tags that builds made."""

    delete: list[str]
    """Digests, in the order in which to delete them."""
    tags: list[str]
    """Tags that are deleted with them."""
    kept: list[str]
    """Tags that stay: something names them, or needs their manifest."""


def plan(repository: Repository, used: Collection[str]) -> Plan:
    """What no text in `used` (locks, a cluster's objects as JSON) names any more.

    A build stays with its index and platforms if a text has its tag or its digest. Reads only.
    Raises RegistryError.
    """
    tags = {tag: digest for tag in repository.tags() if (digest := repository.digest(tag))}
    old = {
        tag
        for tag, digest in tags.items()
        if BUILT.fullmatch(tag)
        and not any(tag.partition("-")[0] in text or digest in text for text in used)
    }
    named = {digest for text in used for digest in re.findall(r"sha256:[0-9a-f]{64}", text)}
    stay = _reachable(repository, named | {tags[tag] for tag in tags.keys() - old})
    # An index after its platforms: if a clean-up is interrupted, the next one finds the rest by it.
    reachable = reversed(_reachable(repository, {tags[tag] for tag in old}))
    delete = [digest for digest in reachable if digest not in stay]
    gone = {tag for tag, digest in tags.items() if digest in delete}
    return Plan(delete, sorted(gone), sorted(set(filter(BUILT.fullmatch, tags)) - gone))


def _reachable(repository: Repository, digests: Collection[str]) -> list[str]:
    """The manifests that these lead to: themselves and, after every index, its platforms."""
    found: list[str] = []
    waiting = sorted(digests)
    while waiting:
        digest = waiting.pop(0)
        if digest in found:
            continue
        try:
            children = repository.children(digest)
        except NotFoundError:
            continue  # of another repository, or deleted already
        found.append(digest)
        waiting += children
    return found
