"""What must not get lost: volumes with data, generated secrets, the namespace that has both."""

from collections.abc import Iterator

from ..broker import redis
from ..comparison.changes import Operation
from ..comparison.leaves import dotted
from ..kubernetes.manifest import PROTECTED, Manifest, is_protected
from ..kubernetes.pull_secret import PULL_SECRET
from .rule import Finding, Reference, Subject, rule

KINDS = ("Namespace", "PersistentVolumeClaim", "Secret")

MADE_AGAIN: frozenset[Reference] = frozenset(
    {
        # Messages of queued tasks; the scheduler sends lost ones again (broker/redis.py).
        ("PersistentVolumeClaim", redis.NAME),
        # Made of the registry's login, which somebody else keeps.
        ("Secret", PULL_SECRET),
    }
)
"""What goes with the setting that wants it and comes back with it, complete."""


@rule(fix=f"make the object with protected=True, which labels it {PROTECTED}")
def protected_data(subject: Subject) -> Iterator[Finding]:
    """Only what is labelled is kept by make down, by pruning and by Pulumi's protection."""
    for obj in subject.objects:
        if _holds_data(obj) and not is_protected(obj):
            yield Finding(obj, ("metadata", "labels", PROTECTED), "is not true")


@rule(
    fix="leave the field or the object as it was. Where its data may go: take a backup, remove "
    "the protection and the object by hand, and then deploy",
    whole=True,
)
def no_loss_of_data(subject: Subject) -> Iterator[Finding]:
    """A claim that is deleted or replaced takes its data with it, a Secret its passwords."""
    for change in subject.changes:
        before = change.before
        if before is None or not (_holds_data(before) or is_protected(before)):
            continue
        if (before["kind"], before["metadata"]["name"]) in MADE_AGAIN:
            continue
        if change.operation is Operation.DELETE:
            yield Finding(before, (), "would be deleted")
        elif change.operation is Operation.REPLACE:
            what = ", ".join(dotted(path) for path in change.replacing)
            path = change.replacing[0] if change.replacing else ()
            yield Finding(before, path, f"would be replaced, for a change of {what}")


def _holds_data(obj: Manifest) -> bool:
    return obj["kind"] in KINDS and (obj["kind"], obj["metadata"]["name"]) not in MADE_AGAIN


RULES = (protected_data, no_loss_of_data)
