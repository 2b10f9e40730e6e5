"""The steps of a deployment that need a second look: what is lost, and what will be refused."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..broker import redis
from ..comparison.changes import Change, Operation
from ..comparison.leaves import dotted
from ..database import mysql
from ..kubernetes.metadata import Manifest, is_protected
from .objects import name_of

CLAIM, SET = "PersistentVolumeClaim", "StatefulSet"
GONE = (Operation.DELETE, Operation.REPLACE)


@dataclass(frozen=True)
class Step:
    """`what` happens to an object because of `paths` (dotted), what that means, and the remedy."""

    kind: str
    name: str
    what: str
    paths: tuple[str, ...]
    means: str
    remedy: str


def destructive(changes: Iterable[Change]) -> tuple[Step, ...]:
    """Deletions and replacements of what holds data, secrets or the identity of a server.

    The protected first: both engines keep those until somebody takes the protection away.
    """
    found = [
        (is_protected(change.before), _lost(change, change.before))
        for change in changes
        if change.operation in GONE and change.before is not None and _precious(change.before)
    ]
    return tuple(step for _, step in sorted(found, key=lambda one: (not one[0], one[1].kind)))


def refused(changes: Iterable[Change]) -> tuple[Step, ...]:
    """Changes that the API server refuses, so that the deployment stops at them."""
    return tuple(step for change in changes if change.refused for step in _refused(change))


def _precious(obj: Manifest) -> bool:
    return is_protected(obj) or obj["kind"] in (CLAIM, SET)


def _lost(change: Change, before: Manifest) -> Step:
    what = "REPLACED" if change.operation is Operation.REPLACE else "DELETED"
    if is_protected(before):
        means = (
            f"{_content(before)} would be lost. It is protected: Pulumi refuses and stops there, "
            "kubectl leaves it where it is"
        )
        remedy = (
            "leave the field or the object as it was; else make a backup, take the protection away "
            "by hand and restore afterwards"
        )
    elif before["kind"] == SET:
        name = before["metadata"]["name"]
        means = "The server is away until the new one is ready; its claim stays"
        if change.operation is Operation.DELETE:
            means = "The server ends" + (
                ", and with it the metadata database; its claim, if protected, stays"
                if name == mysql.NAME
                else ""
            )
        remedy = "deploy when nothing runs"
    else:
        means = f"{_content(before)} is lost"
        remedy = "make a backup of what is still needed"
    paths = tuple(dotted(path) for path in change.replacing)
    return Step(change.kind, name_of(change), what, paths, means, remedy)


def _content(obj: Manifest) -> str:
    kind, name = obj["kind"], obj["metadata"]["name"]
    if kind == CLAIM:
        if name == redis.NAME:
            return "The broker's volume (messages of queued tasks, which the scheduler sends again)"
        return "The metadata database" if name == mysql.NAME else "What is on the volume"
    if kind == "Secret":
        return "Generated passwords and keys, with what they encrypt in the database,"
    if kind == "Namespace":
        return "Everything in the namespace"
    return "What it holds"


def _refused(change: Change) -> Iterator[Step]:
    paths = tuple(dotted(path) for path in change.refused)
    if change.operation is Operation.REPLACE:
        if change.kind == "Job":
            return  # deleted before, by either engine: it is a Job with another name
        means = "Under kubectl the API server refuses it, and the deployment stops; Pulumi replaces"
        remedy = "with kubectl, delete the object first (make up then makes it anew)"
    elif change.kind == CLAIM:
        means = "The API server refuses it under both engines: a claim only grows"
        remedy = "give no smaller size; for a smaller volume, back up, make a new claim, restore"
    else:
        means = "The API server refuses it under both engines, and the deployment stops"
        remedy = "leave the field as it was, or give the object another name"
    yield Step(change.kind, name_of(change), "REFUSED", paths, means, remedy)
