"""Rules against the loss of data: volumes, generated Secrets, and the namespace that has both."""

from collections.abc import Iterator

from ..broker import redis
from ..comparison.changes import Operation
from ..comparison.leaves import dotted
from ..kubernetes.manifest import PROTECTED, Manifest, is_protected
from ..kubernetes.namespace import stays
from ..kubernetes.pull_secret import LAUNCHED_PULL_SECRET, PULL_SECRET
from .rule import Finding, Subject, rule

KINDS = ("Namespace", "PersistentVolumeClaim", "Secret")

REPLACEABLE = (
    # Messages of queued tasks; the scheduler sends lost ones again (broker/redis.py).
    ("PersistentVolumeClaim", redis.NAME),
    # Copies of the registry's login.
    ("Secret", PULL_SECRET),
    ("Secret", LAUNCHED_PULL_SECRET),
)
"""Objects that are complete again as soon as they are created again."""


@rule(fix=f"create the object with protected=True, which labels it {PROTECTED}")
def protected_data(subject: Subject) -> Iterator[Finding]:
    """Only this label protects an object from make down, from pruning and from Pulumi."""
    for obj in subject.objects:
        if _holds_data(obj) and not is_protected(obj):
            yield Finding(obj, ("metadata", "labels", PROTECTED), "is not true")


@rule(
    fix="restore the field or the object. If its data may be deleted: take a backup, remove the "
    "protection and the object manually, and then deploy",
    whole_stack=True,
)
def no_loss_of_data(subject: Subject) -> Iterator[Finding]:
    """Deleting or replacing a claim deletes its data, and a Secret its passwords."""
    for change in subject.changes:
        if change.before is None or not _holds_data(change.before) or stays(change.before):
            continue
        if change.operation is Operation.DELETE:
            yield Finding(change.before, (), "would be deleted")
        elif change.operation is Operation.REPLACE:
            fields = ", ".join(map(dotted, change.replacing))
            message = f"would be replaced, because of a change of {fields}"
            yield Finding(change.before, change.replacing[0], message)


def _holds_data(obj: Manifest) -> bool:
    if (obj["kind"], obj["metadata"]["name"]) in REPLACEABLE:
        return False
    return obj["kind"] in KINDS or is_protected(obj)
