"""Which setting explains which difference: the program is run again with settings exchanged.

What changes when one environment gets one setting of the other is explained by that setting. With
all of the other's settings it must be the other: what is still different then, no setting explains.
"""

import logging
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache

from ..comparison.leaves import MISSING
from ..comparison.leaves import Path as Leaf
from ..rules import problems as impossible
from ..settings.bounds import Marked, at, marked, plain
from ..settings.problems import Path
from ..settings.schema import Settings
from .facts import Facts, facts, label

_SILENT = logging.getLogger("parity")
_SILENT.setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True)
class Explanation:
    """How two environments differ, `exchanged` being `left` with all settings of `right`.

    `fields` have different values, and each explains some leaves. `places` are the lines of the
    program where resources are registered.
    """

    left: Facts
    right: Facts
    exchanged: Facts
    fields: tuple[tuple[Marked, frozenset[Leaf]], ...]
    places: dict[str, str]

    @property
    def unexplained(self) -> set[Leaf]:
        """The leaves in which the environments differ although their settings do not."""
        return _changed(self.exchanged, self.right)


@dataclass(frozen=True)
class _Environment:
    name: str
    settings: Settings

    def render(self) -> tuple[Facts, dict[str, str]]:
        return _render(self.name, self.settings.model_dump_json(by_alias=True))

    def with_settings_of(self, other: "_Environment", paths: Iterable[Path]) -> "_Environment":
        ours, theirs = deepcopy(plain(self.settings)), plain(other.settings)
        for path in paths:
            at(ours, path[:-1])[path[-1]] = at(theirs, path)
        return _Environment(self.name, Settings.model_validate(ours))


@lru_cache(maxsize=256)
def _render(name: str, settings: str) -> tuple[Facts, dict[str, str]]:
    """What the program makes of some settings, once: with three environments many come again."""
    from ..render import registered  # imports Pulumi, which takes its time

    exact = Settings.model_validate_json(settings)
    found = registered(name, settings=exact, logger=_SILENT)
    return facts(found, exact.images.registry), {label(one): one.place for one in found}


def explain(left: tuple[str, Settings], right: tuple[str, Settings]) -> Explanation:
    """What two environments differ in, and why. Each is its name and its settings."""
    one, other = _Environment(*left), _Environment(*right)
    fields = differing(one.settings, other.settings)
    # The other one comes last: what the program might keep from it must not make them look alike.
    ours, places = one.render()
    exchanged, _ = one.with_settings_of(other, (field.path for field in fields)).render()
    theirs, more = other.render()
    wanted = _changed(ours, theirs) - _changed(exchanged, theirs)
    by_field = _attributed(one, other, fields, wanted)
    found = tuple((field, frozenset(by_field[field])) for field in fields)
    return Explanation(ours, theirs, exchanged, found, places | more)


def differing(left: Settings, right: Settings) -> list[Marked]:
    """The per-environment fields of which two environments have different values."""
    ours, theirs = plain(left), plain(right)
    return [field for field in marked(ours) if at(ours, field.path) != at(theirs, field.path)]


def _attributed(
    one: _Environment, other: _Environment, fields: list[Marked], wanted: set[Leaf]
) -> dict[Marked, set[Leaf]]:
    """The leaves of `wanted` that each field explains, whatever else explains them too.

    A setting that does nothing alone (a host, without the mode that uses it) explains what changes
    back without it; so do all where some leaves need several settings together. Those that are
    possible in no other way are exchanged at once.
    """
    found: dict[Marked, set[Leaf]] = {field: set() for field in fields}
    needy: list[Marked] = []

    def note(field: Marked, of: _Environment, to: _Environment) -> None:
        moved = _moved(of, of.with_settings_of(to, [field.path]))
        if moved is None and field not in needy:
            needy.append(field)
        found[field] |= (moved or set()) & wanted

    for field in fields:
        note(field, one, other)
    idle = [field for field in fields if not found[field]]
    # Mostly such a setting is for no object (a budget): one try for all of them tells.
    if _moved(other, other.with_settings_of(one, [field.path for field in idle])) != set():
        for field in idle:
            note(field, other, one)
    if wanted.difference(*found.values()):
        for field in fields:
            if field not in idle:
                note(field, other, one)
    together = _moved(one, one.with_settings_of(other, [field.path for field in needy]))
    for field in needy:
        found[field] = found[field] or (together or set()) & wanted
    return found


def _moved(before: _Environment, after: _Environment) -> set[Leaf] | None:
    """The leaves that differ; None where the settings are impossible together."""
    if any(True for _ in impossible(after.settings, after.name)):
        return None
    return _changed(before.render()[0], after.render()[0])


def _changed(old: Facts, new: Facts) -> set[Leaf]:
    return {
        leaf for leaf in old.keys() | new.keys() if old.get(leaf, MISSING) != new.get(leaf, MISSING)
    }
