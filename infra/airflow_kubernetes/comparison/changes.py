"""What a deployment does to each object, from the objects before and after."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ..kubernetes.manifest import Manifest, is_protected, logical_name
from ..kubernetes.pull_secret import PULL_SECRET
from .leaves import Difference, Path, differences
from .replacement import IDENTITY, refused, replacing, same_amount, unselected, written_once


class Operation(StrEnum):
    """As Pulumi names them."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True)
class Change:
    """What happens to one object, known by its Pulumi name: a Job's has no hash, so a Job with a
    new hash replaces the old one.

    `replacing` are the paths for which Pulumi replaces the object; `refused` are those that the
    API server does not let anyone change, so that kubectl's apply fails on them, and so does
    Pulumi's update. An UPDATE with `refused` paths fails under both engines; a REPLACE with them
    under kubectl alone (unless it `fails` anyhow), and one without them is an update there.
    `kept` are values that are written once, a subset of `refused`: Pulumi leaves them as they are,
    `make up` stops.
    """

    operation: Operation
    before: Manifest | None
    after: Manifest | None
    differences: tuple[Difference, ...]
    replacing: tuple[Path, ...] = ()
    refused: tuple[Path, ...] = ()
    kept: tuple[Path, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether the object would be lost that holds data or secrets: Pulumi refuses to go on.

        kubectl leaves a protected object where it is.
        """
        loses = self.operation in (Operation.REPLACE, Operation.DELETE)
        if not loses or self.before is None:
            return False
        # The login to a registry is kept by `make down`, but goes when no longer wanted.
        return is_protected(self.before) and self.before["metadata"]["name"] != PULL_SECRET

    @property
    def fails(self) -> bool:
        """Whether the server refuses it under Pulumi too: an update, or an object that is wrong."""
        if self.after is not None and unselected(self.after):
            return True
        return self.operation is Operation.UPDATE and len(self.refused) > len(self.kept)

    @property
    def kind(self) -> str:
        """Of the object."""
        kind: str = self._object["kind"]
        return kind

    @property
    def name(self) -> str:
        """Of the object, as it will be."""
        name: str = self._object["metadata"]["name"]
        return name

    @property
    def _object(self) -> Manifest:
        return self.after or self.before or {}


def compare(before: Iterable[Manifest], after: Iterable[Manifest]) -> list[Change]:
    """The changes that lead from one environment's objects to another's, by kind and name.

    Objects that stay as they are have none.
    """
    old = {logical_name(obj): obj for obj in before}
    new = {logical_name(obj): obj for obj in after}
    changes = [_change(old.get(name), new.get(name)) for name in old.keys() | new.keys()]
    return sorted(
        (change for change in changes if change is not None),
        key=lambda change: (change.kind, change.name),
    )


def _change(before: Manifest | None, after: Manifest | None) -> Change | None:
    found = tuple(
        one
        for one in differences(before or {}, after or {})
        if one.path and not same_amount(one)  # no path: nothing, against all of an object
    )
    if before is None or after is None:
        operation = Operation.CREATE if before is None else Operation.DELETE
        wrong = tuple(unselected(after)) if after is not None else ()
        return Change(operation, before, after, found, refused=wrong)
    if not found:
        return None
    why = tuple(one.path for one in found if replacing(after, one))
    against, kept = unselected(after), tuple[Path, ...]()
    if not any(path in IDENTITY for path in why):  # else it is another object
        kept = tuple(one.path for one in found if written_once(before, one))
        against += [*kept, *(one.path for one in found if refused(before, after, one))]
    operation = Operation.REPLACE if why else Operation.UPDATE
    return Change(operation, before, after, found, why, tuple(sorted({*against})), kept)
