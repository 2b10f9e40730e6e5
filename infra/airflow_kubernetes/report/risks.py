"""The steps of a deployment that need a second look: what is lost, and what will be refused."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..broker import redis
from ..comparison.changes import Change, Operation
from ..comparison.leaves import Path, dotted
from ..database import mysql
from ..kubernetes.manifest import Manifest
from .objects import name_of

CLAIM, SET = "PersistentVolumeClaim", "StatefulSet"
REFUSED = "REFUSED"


@dataclass(frozen=True)
class Step:
    """`what` happens to an object because of `paths` (dotted), what that means, and the remedy.

    `what` is DELETED, REPLACED, REFUSED (by the API server, under either engine), REFUSED BY
    KUBECTL or, of values that are written once, KEPT.
    """

    kind: str
    name: str
    what: str
    paths: tuple[str, ...]
    means: str
    remedy: str


def destructive(changes: Iterable[Change]) -> tuple[Step, ...]:
    """Deletions and replacements of what holds data, secrets or the identity of a server.

    The protected first: neither engine takes those away, so the deployment stops at them.
    """
    found = [
        (change, change.before)
        for change in changes
        if change.operation in (Operation.DELETE, Operation.REPLACE) and change.before is not None
    ]
    precious = [pair for pair in found if pair[0].blocked or pair[0].kind in (CLAIM, SET)]
    precious.sort(key=lambda pair: (not pair[0].blocked, pair[0].kind, pair[0].name))
    return tuple(_lost(*pair) for pair in precious)


def refused(changes: Iterable[Change]) -> tuple[Step, ...]:
    """Changes that the API server refuses, so that the deployment stops at them.

    What is in `destructive` already is not told again.
    """
    found = []
    for change in changes:
        against = tuple(path for path in change.refused if path not in change.kept)
        if change.kept:
            means = (
                "The Secret was written once, and its values belong to the data: pulumi up leaves "
                "them as they are, and make up stops, under either engine"
            )
            remedy = "leave the values as they were, or change the Secret by hand as well"
            found.append(_step(change, "KEPT", change.kept, means, remedy))
        if against and not change.blocked:
            found.append(_step(change, *_refusal(change, against)))
    return tuple(found)


def _lost(change: Change, before: Manifest) -> Step:
    what = "DELETED" if change.operation is Operation.DELETE else "REPLACED"
    if change.blocked:
        kubectl = "the API server refuses it" if change.refused else "it stays where it is"
        means = (
            f"{_content(before)} would be lost. It is protected: Pulumi refuses and stops there; "
            f"under kubectl {kubectl}"
        )
        remedy = (
            "leave the field or the object as it was; else make a backup, take the protection away "
            "by hand and restore afterwards"
        )
    elif change.kind == SET and what == "DELETED":
        means = "The server ends; what is on its claim is told there"
        remedy = "deploy when nothing uses it"
    elif change.kind == SET:
        means = "The server is away until the new one is ready; its claim stays"
        remedy = "deploy when nothing runs"
    else:
        means = f"{_content(before)} is lost"
        remedy = "make a backup of what is still needed"
    return _step(change, what, change.replacing, means, remedy)


def _content(obj: Manifest) -> str:
    kind, name = obj["kind"], obj["metadata"]["name"]
    if kind == CLAIM and name == mysql.NAME:
        return "The metadata database"
    if kind == CLAIM and name == redis.NAME:
        return "The broker's volume (messages of queued tasks; the scheduler sends them again)"
    return {
        CLAIM: "What is on the volume",
        "Secret": "Generated passwords and keys, and what is encrypted with them,",
        "Namespace": "Everything in the namespace",
    }.get(kind, "What it holds")


def _refusal(change: Change, paths: tuple[Path, ...]) -> tuple[str, tuple[Path, ...], str, str]:
    if change.operation is Operation.REPLACE:
        means = "Under kubectl the API server refuses it and the deployment stops; Pulumi replaces"
        remedy = "under kubectl delete the object first; make up then makes it anew"
        return f"{REFUSED} BY KUBECTL", paths, means, remedy
    means = "The API server refuses it under both engines, and the deployment stops"
    if change.kind == CLAIM:
        means, remedy = f"{means}: a claim only grows", "give the old size, or a greater one"
    else:
        remedy = "leave the field as it was"
    return REFUSED, paths, means, remedy


def _step(change: Change, what: str, paths: tuple[Path, ...], means: str, remedy: str) -> Step:
    return Step(change.kind, name_of(change), what, tuple(map(dotted, paths)), means, remedy)
