"""What a deployment does to each object, from the objects before and after."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ..kubernetes.metadata import Manifest, logical_name
from .leaves import Difference, Path, differences
from .replacement import refused, replacing


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
    API server does not let anyone change, so that kubectl's apply fails on them.
    """

    operation: Operation
    before: Manifest | None
    after: Manifest | None
    differences: tuple[Difference, ...]
    replacing: tuple[Path, ...] = ()
    refused: tuple[Path, ...] = ()

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
    found = tuple(differences(before or {}, after or {}))
    if before is None or after is None:
        operation = Operation.CREATE if before is None else Operation.DELETE
        return Change(operation, before, after, found)
    if not found:
        return None
    paths = [difference.path for difference in found]
    why = tuple(path for path in paths if replacing(after["kind"], path))
    return Change(
        Operation.REPLACE if why else Operation.UPDATE,
        before,
        after,
        found,
        why,
        tuple(path for path in paths if refused(after["kind"], path)),
    )
