"""`make promote TO=prod`: copy the images of one environment into another one's registry."""

import time

from ..console import say
from ..environment import load
from ..errors import CommandError
from ..images import buildx, lock
from .target import Target


def promote(target: Target, to: str) -> None:
    """Copy every image of the lock from the registry of `target` to that of the environment `to`.

    Digests stay the same, and with them the lock, which all environments share. Raises
    CommandError, BuildError, RegistryError, LoginError.
    """
    if not to:
        raise CommandError("name the environment to copy to: make promote TO=prod [ENV=dev]")
    destination = load(to)
    file = lock.path(target.settings)
    if lock.path(destination) != file:
        raise CommandError(
            f"images of {target.environment} are stand-ins that {to} may not run (images.lock)"
        )
    entries = lock.read(file).images
    if not entries:
        raise CommandError(
            f"{file.name} names no image; make images ENV={target.environment} first"
        )
    old, new = target.settings.images.registry, destination.images.registry
    if old == new:
        say(f"{to} has the registry of {target.environment}, {new}: nothing to copy")
        return
    started = time.monotonic()
    for number, (name, entry) in enumerate(sorted(entries.items()), 1):
        say(f"{number}/{len(entries)} {name}:{entry.tag}: {old} -> {new}")
        digest = buildx.push_index(f"{new}/{name}:{entry.tag}", [f"{old}/{name}@{entry.digest}"])
        if digest != entry.digest:
            raise CommandError(
                f"{new}/{name}:{entry.tag} is {digest}, and not {entry.digest} as in the lock: the "
                "registry or buildx changed it. Use a newer buildx, or another registry"
            )
    say(f"{new} has all images of {file.name} after {time.monotonic() - started:.0f} s")
