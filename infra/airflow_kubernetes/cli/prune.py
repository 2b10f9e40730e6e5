"""`make prune`: delete old images from an environment's registry."""

import json
import os

from ..console import say
from ..environment import load
from ..errors import CommandError
from ..images import lock
from ..images.specs import ROOT
from ..kubectl.client import KubectlError
from ..registry import cleanup, history, login
from ..registry.oci import DOCKER_HUB, Reference, UnsupportedError
from ..registry.repository import Repository
from ..settings.load import environments
from .target import Target

LOCK = ROOT / "images.lock.yaml"
DAYS = 90
"""How far back locks count; KEEP=<days> says otherwise."""

RUNNING = "pods,replicasets,statefulsets,jobs,cronjobs,configmaps"
"""Where a namespace names images: what runs, what a rollback would run, and pod templates."""


def prune(here: Target) -> None:
    """Say which images could go; with APPLY=1 delete them.

    What stays: whatever the lock names, here or in a commit of the last KEEP days on any branch
    or tag, what the clusters of all environments with this registry name, and every tag that no
    build makes. Raises
    CommandError, HistoryError, RegistryError, LoginError.
    """
    apply, days = os.environ.get("APPLY") == "1", _days()
    registry = here.settings.images.registry
    if apply and Reference.parse(f"{registry}/x").host == DOCKER_HUB:
        raise CommandError(_elsewhere(registry))
    files = {LOCK, lock.path(here.settings)}
    named = [file.read_text(encoding="utf-8") for file in files if file.exists()]
    if apply:
        history.fetch(LOCK)
    named += history.locks(LOCK, days)
    for one in _sharing(here):
        named += _running(one, apply)
    images = {name for file in files for name in lock.read(file).images} | history.names(LOCK)
    deleted = 0
    for name in sorted(images):
        with Repository(f"{registry}/{name}", login.given()) as repository:
            wanted = cleanup.plan(repository, named)
            say(
                f"{registry}/{name}: {len(wanted.kept)} tags stay, {len(wanted.tags)} go"
                + "".join(f"\n  {tag}" for tag in wanted.tags)
            )
            if apply:
                try:
                    cleanup.carry_out(repository, wanted)
                except UnsupportedError as error:
                    raise CommandError(f"{error}. {_elsewhere(registry)}") from None
            deleted += len(wanted.delete)
    if apply:
        say(f"{deleted} manifests deleted. The registry frees the space when it collects garbage")
    elif deleted:
        say(f"nothing deleted yet; APPLY=1 deletes these {deleted} manifests")


def _days() -> int:
    text = os.environ.get("KEEP") or str(DAYS)
    if not text.isdigit():
        raise CommandError(f"KEEP={text}: a number of days, such as KEEP={DAYS}")
    return int(text)


def _sharing(here: Target) -> list[Target]:
    """The environments whose pods pull from this one's registry, itself first."""
    others = {name: load(name) for name in environments() if name != here.environment}
    return [
        here,
        *(
            Target(name, "", settings)
            for name, settings in others.items()
            if settings.images.registry == here.settings.images.registry
        ),
    ]


def _running(here: Target, apply: bool) -> list[str]:
    try:
        here.kubectl.reach()
        return [json.dumps(here.kubectl.get(RUNNING))]
    except (KubectlError, CommandError) as error:
        if apply:
            raise CommandError(
                f"what runs in {here.environment} cannot be seen, and must stay: {error}"
            ) from None
        say(f"warning: what runs in {here.environment} is not seen: {error}")
        return []


def _elsewhere(registry: str) -> str:
    return (
        f"{registry} deletes nothing through the registry API. Use its own means: tags by hand or "
        "API on Docker Hub, a lifecycle policy on ECR, a retention policy elsewhere. "
        "docs/images.md says what such a policy must keep"
    )
