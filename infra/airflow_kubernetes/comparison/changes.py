"""What a deployment does to each object, computed from the objects before and after."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ..kubernetes.manifest import Manifest, is_protected, logical_name
from ..kubernetes.namespace import stays
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
    """What happens to one object, identified by its Pulumi name: without a Job's hash, so that a
    Job with a new hash replaces the old one.

    `replacing` are the paths for which Pulumi replaces the object, `refused` those that the API
    server does not let anyone change. `kept` is a subset of `refused`: values that are written
    once, which Pulumi leaves unchanged and `make up` refuses to change.

    operation  refused paths  under Pulumi            under kubectl
    UPDATE     none           updates                 updates
    UPDATE     some           fails (kept: no change) fails
    REPLACE    none           replaces                updates
    REPLACE    some           replaces                fails
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
        """Whether an object with data or secrets would be lost. Pulumi refuses that and stops;
        kubectl leaves the object where it is.
        """
        loses = self.operation in (Operation.REPLACE, Operation.DELETE)
        if not loses or self.before is None or stays(self.before):
            return False
        # `make down` keeps the login to a registry; a deployment that needs none deletes it.
        return is_protected(self.before) and self.before["metadata"]["name"] != PULL_SECRET

    @property
    def fails(self) -> bool:
        """Whether the API server refuses the change under Pulumi too."""
        if self.after is not None and unselected(self.after):
            return True
        return self.operation is Operation.UPDATE and len(self.refused) > len(self.kept)

    @property
    def kind(self) -> str:
        """The object's kind."""
        return str(self._object["kind"])

    @property
    def name(self) -> str:
        """The object's name after the deployment."""
        return str(self._object["metadata"]["name"])

    @property
    def _object(self) -> Manifest:
        return self.after or self.before or {}


def compare(before: Iterable[Manifest], after: Iterable[Manifest]) -> list[Change]:
    """The changes that make the first objects the second, by kind and name.

    Unchanged objects have none.
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
        difference
        for difference in differences(before or {}, after or {}, whole=True)
        if not same_amount(difference)
    )
    if before is not None and after is None and stays(before):
        return None
    if before is None or after is None:
        operation = Operation.CREATE if before is None else Operation.DELETE
        wrong = tuple(unselected(after)) if after is not None else ()
        return Change(operation, before, after, found, refused=wrong)
    if not found:
        return None
    replaces = tuple(each.path for each in found if replacing(after, each))
    refuses, kept = unselected(after), tuple[Path, ...]()
    if not any(path in IDENTITY for path in replaces):  # else it is another object
        kept = tuple(each.path for each in found if written_once(before, each))
        refuses += [*kept, *(each.path for each in found if refused(before, after, each))]
    operation = Operation.REPLACE if replaces else Operation.UPDATE
    return Change(operation, before, after, found, replaces, tuple(sorted({*refuses})), kept)
