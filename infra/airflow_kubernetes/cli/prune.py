"""`make prune`: delete old images from an environment's registry."""

import json
from contextlib import ExitStack
from pathlib import Path

from ..console import say
from ..environment import load
from ..errors import CommandError
from ..images import lock, lock_history
from ..kubectl.client import KubectlError
from ..paths import ROOT
from ..registry import login, retention
from ..registry.client import Repository
from ..registry.reference import DOCKER_HUB, Reference, UnsupportedError
from ..settings.load import environments
from .exclusive import exclusive
from .target import Target

LOCK = ROOT / "images.lock.yaml"
RUNNING = "pods,replicasets,statefulsets,jobs,cronjobs,configmaps"
"""Kinds that name images: of running pods, of pods after a rollback, and in pod templates."""


def prune(target: Target, keep: int = 90, *, apply: bool = False) -> None:
    """Say which images could be deleted; delete them if `apply`.

    What stays: the images of the lock, here or in a commit of the last `keep` days on any branch or
    tag, the images of the clusters of all environments with this registry, and every tag that no
    build makes. Raises CommandError, HistoryError, RegistryError, LoginError.
    """
    registry = target.settings.images.registry
    if apply and Reference.parse(f"{registry}/x").host == DOCKER_HUB:
        raise CommandError(_provider_specific(registry))
    used = [file.read_text(encoding="utf-8") for file in _locks(target) if file.exists()]
    if apply:
        lock_history.fetch(LOCK)
    used.append(lock_history.text(LOCK, keep))
    with ExitStack() as meanwhile:
        for environment in _sharing(target):
            used += _running(environment, meanwhile if apply else None)
        _prune(target, used, apply=apply)


def _prune(target: Target, used: list[str], *, apply: bool) -> None:
    """Say what could be deleted, or delete it, by the texts that name the images in use."""
    registry, files = target.settings.images.registry, _locks(target)
    images = lock_history.names(LOCK).union(*map(lock.names, files))
    count = 0
    for name in sorted(images):
        with Repository(f"{registry}/{name}", login.given()) as repository:
            plan = retention.plan(repository, used)
            say(
                f"{registry}/{name}: {len(plan.kept)} tags stay, {len(plan.tags)} go"
                + "".join(f"\n  {tag}" for tag in plan.tags)
            )
            count += len(plan.delete)
            if apply:
                _delete(repository, plan.delete, registry)
    if apply:
        say(f"{count} manifests deleted. The registry frees the space when it collects garbage")
    elif count:
        say(f"nothing deleted yet; APPLY=1 deletes these {count} manifests")


def _locks(target: Target) -> set[Path]:
    return {LOCK, lock.path(target.settings)}


def _delete(repository: Repository, digests: list[str], registry: str) -> None:
    try:
        for digest in digests:
            repository.delete(digest)
    except UnsupportedError as error:
        raise CommandError(f"{error}. {_provider_specific(registry)}") from None


def _sharing(target: Target) -> list[Target]:
    """The environments whose pods pull from this one's registry, itself first."""
    names = [name for name in environments() if name != target.environment]
    registry = target.settings.images.registry
    others = [Target(name, "", load(name)) for name in names]
    return [target, *(other for other in others if other.settings.images.registry == registry)]


def _running(environment: Target, deleting: ExitStack | None) -> list[str]:
    """The environment's objects that name images, as JSON.

    Before a deletion no other command may work there until the end of `deleting`: what an `up` has
    built may be in no lock yet. Raises CommandError then if the cluster does not answer.
    """
    try:
        if deleting:
            deleting.enter_context(exclusive(environment, "prune"))
        return [json.dumps(place.get(RUNNING)) for place in environment.kubectl.namespaces]
    except (KubectlError, CommandError) as error:
        if deleting:
            raise CommandError(
                f"what runs in {environment.environment} is unknown, and must stay: {error}"
            ) from None
        say(f"warning: what runs in {environment.environment} is unknown: {error}")
        return []


def _provider_specific(registry: str) -> str:
    return (
        f"{registry} deletes nothing through the registry API. Use the provider's means: tags "
        "manually or by API on Docker Hub, a lifecycle policy on ECR, a retention policy "
        "elsewhere. docs/images.md says what such a policy must keep"
    )
