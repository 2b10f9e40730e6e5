"""`make parity`: two environments, what explains their differences, and what nothing explains."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any

from ..comparison.leaves import MISSING, Difference, differences, dotted, narrowed
from ..comparison.leaves import Path as Leaf
from ..environment import load
from ..images.specs import ROOT
from ..settings import expiry, problems
from ..settings.bounds import Marked, at, plain
from ..settings.document import read
from ..settings.load import VALUES
from ..settings.marks import SANDBOX
from ..settings.schema import Settings
from . import upkeep
from .branches import named
from .disparity import Disparity
from .explanation import Explanation, explain
from .facts import REGISTRY


@dataclass(frozen=True)
class Explained:
    """A per-environment field with another value on each side, and the leaves that it explains.

    Of a section (`resources`) the values are those that differ, by their dotted path below it.
    `until` is the day until which the difference may stand, None if it may stay.
    """

    path: str
    left: Any
    right: Any
    why: str
    owner: str
    bounds: str
    until: date | None
    leaves: int


@dataclass(frozen=True)
class Parity:
    """Two environments' comparison."""

    left: str
    right: str
    explained: tuple[Explained, ...]
    problems: tuple[Disparity, ...]

    @property
    def ok(self) -> bool:
        """Whether every difference is explained, and every explanation needed and in time."""
        return not self.problems


def alike(names: Iterable[str]) -> list[tuple[str, str]]:
    """Every two of the environments; the sandbox is one of stand-ins and like none of them."""
    return list(combinations(sorted(name for name in names if name != SANDBOX), 2))


def parity(left: str, right: str, today: date) -> Parity:
    """Compare two environments of this checkout. Raises SettingsError and LockError."""
    settings = load(left), load(right)
    explanation = explain((left, settings[0]), (right, settings[1]))
    found = [*_unexplained(left, right, explanation), *_images(left, right, explanation)]
    for environment in (left, right):
        found += upkeep.values(environment, VALUES, today)
        found += upkeep.stack(environment, ROOT)
    found.sort(key=lambda one: (one.kind != "unexplained", one.kind, one.place, one.what))
    days = _days(left), _days(right)
    explained = tuple(
        _explained(field, len(leaves), settings, days) for field, leaves in explanation.fields
    )
    return Parity(left, right, explained, tuple(found))


def _explained(
    field: Marked,
    leaves: int,
    settings: tuple[Settings, Settings],
    days: tuple[dict[str, date], dict[str, date]],
) -> Explained:
    path, mark = problems.dotted(field.path), field.mark
    ours, theirs = (at(plain(one), field.path) for one in settings)
    return Explained(
        path,
        *_apart(ours, theirs),
        mark.why,
        mark.owner,
        field.bounds,
        min((one[path] for one in days if path in one), default=None),
        leaves,
    )


def _apart(ours: Any, theirs: Any) -> tuple[Any, Any]:
    """Two values; two mappings as what differs in them, by dotted path."""
    if not (isinstance(ours, dict) and isinstance(theirs, dict)):
        return ours, theirs
    found = differences(ours, theirs)
    return (
        {dotted(one.path): one.old for one in found if one.old is not MISSING},
        {dotted(one.path): one.new for one in found if one.new is not MISSING},
    )


def _days(environment: str) -> dict[str, date]:
    return expiry.days(read(VALUES / f"{environment}.yaml", environment))


def _unexplained(left: str, right: str, found: Explanation) -> Iterator[Disparity]:
    """The leaves that no setting explains, a resource that only one side has as one of them."""
    whole = {leaf[0] for leaf in found.left} ^ {leaf[0] for leaf in found.right}
    told = set()
    for leaf in sorted(found.unexplained):
        name = leaf[0]
        if name in told:
            continue
        place, remedy = _where(left, right, found.places[name])
        if name in whole:
            told.add(name)
            there = any(one[0] == name for one in found.left)
            values = ((left, name if there else MISSING), (right, MISSING if there else name))
            yield Disparity("unexplained", place, name, values, remedy)
            continue
        ours, theirs = found.left.get(leaf, MISSING), found.right.get(leaf, MISSING)
        exchanged = found.exchanged.get(leaf, MISSING)
        for one in narrowed(Difference(leaf, exchanged, theirs)):
            values = ((left, one.old), (right, one.new))
            if exchanged != ours:
                values = ((f"{left} with the values of {right}", one.old), (right, one.new))
            yield Disparity("unexplained", place, _shown(one.path), values, remedy)


def _where(left: str, right: str, registered: str) -> tuple[str, str]:
    """The line to change for what depends on the environment alone, and how."""
    for place, name in named((left, right)):
        return place, (
            f'the program asks for "{name}": decide by a field of settings/schema/ '
            "that is marked PerEnvironment instead"
        )
    return registered, (
        "registered here, from something that is no setting: the environment's name, a variable, a "
        "file. Decide by a field of settings/schema/ that is marked PerEnvironment"
    )


def _images(left: str, right: str, found: Explanation) -> Iterator[Disparity]:
    """Images of another content, which the sandbox alone may have, whatever setting explains it."""
    by_leaf: dict[Leaf, list[Marked]] = {}
    for field, leaves in found.fields:
        for leaf in leaves:
            by_leaf.setdefault(leaf, []).append(field)
    for leaf, fields in sorted(by_leaf.items()):
        ours, theirs = found.left.get(leaf), found.right.get(leaf)
        if _is_image(ours) and _is_image(theirs) and not any(one.mark.only for one in fields):
            names = ", ".join(problems.dotted(one.path) for one in fields)
            yield Disparity(
                "unexplained",
                found.places[leaf[0]],
                _shown(leaf),
                ((left, ours), (right, theirs)),
                f"environments run the same images, from registries of their own; {names} may not "
                "decide which",
            )


def _is_image(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(f"{REGISTRY}/")


def _shown(leaf: Leaf) -> str:
    return f"{leaf[0]}: {dotted(leaf[1:])}"
