"""`make promote TO=prod`: one environment's images into another one's registry."""

import os
import time

from ..console import say
from ..environment import load
from ..errors import CommandError
from ..images import lock
from ..registry import login
from ..registry.oci import Reference
from ..registry.promotion import megabytes, promote
from ..registry.repository import Repository
from .target import Target


def promote_all(here: Target) -> None:
    """Copy every image of the lock from `here` to the environment in the variable TO.

    The lock is one for all environments, and digests stay, so no file changes. Raises
    CommandError, RegistryError, LoginError.
    """
    to = os.environ.get("TO", "")
    if not to:
        raise CommandError("say where to: make promote TO=prod [ENV=dev]")
    there = load(to)
    file = lock.path(here.settings)
    if lock.path(there) != file:
        raise CommandError(
            f"images of {here.environment} are stand-ins that {to} may not run (images.lock)"
        )
    entries = lock.read(file).images
    if not entries:
        raise CommandError(f"{file.name} names no image; make images ENV={here.environment} first")
    source, target = here.settings.images.registry, there.images.registry
    if source == target:
        say(f"{to} has the registry of {here.environment}, {target}: nothing to copy")
        return
    # What is given is for the environment that is changed; it is nobody else's business.
    given = login.given()
    same_host = Reference.parse(f"{source}/x").host == Reference.parse(f"{target}/x").host
    started, sent = time.monotonic(), 0
    for number, (name, entry) in enumerate(sorted(entries.items()), 1):
        say(f"{number}/{len(entries)} {name}: {source} -> {target}")
        with (
            Repository(f"{source}/{name}", given if same_host else None) as old,
            Repository(f"{target}/{name}", given) as new,
        ):
            sent += promote(old, new, entry.tag, entry.digest, say)
    seconds = time.monotonic() - started
    say(f"{len(entries)} images are in {target}: {megabytes(sent)} sent, {seconds:.0f} s")
