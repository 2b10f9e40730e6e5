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
from ..settings.bounds import Marked, at, marked, plain
from ..settings.problems import Path
from ..settings.schema import Settings
from .facts import Facts, facts, label

_SILENT = logging.getLogger("parity")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


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
    from ..render.program import registered  # imports Pulumi, which takes its time

    exact = Settings.model_validate_json(settings)
    found = registered(name, settings=exact, logger=_SILENT)
    return facts(found, exact.images.registry), {label(one): one.place for one in found}


def explain(left: tuple[str, Settings], right: tuple[str, Settings]) -> Explanation:
    """What two environments differ in, and why. Each is its name and its settings."""
    one, other = _Environment(*left), _Environment(*right)
    fields = differing(one.settings, other.settings)
    (ours, places), (theirs, more) = one.render(), other.render()
    exchanged, _ = one.with_settings_of(other, (field.path for field in fields)).render()
    wanted = _changed(ours, theirs) - _changed(exchanged, theirs)
    by_field = {
        field: _moved(one.with_settings_of(other, [field.path]), ours) & wanted for field in fields
    }
    # What takes two settings together (a host, and the mode that uses it) neither explains alone:
    # then it is what changes back without it.
    rest = wanted.difference(*by_field.values())
    for field in fields if rest else ():
        by_field[field] |= _moved(other.with_settings_of(one, [field.path]), theirs) & rest
    found = tuple((field, frozenset(by_field[field])) for field in fields)
    return Explanation(ours, theirs, exchanged, found, places | more)


def differing(left: Settings, right: Settings) -> list[Marked]:
    """The per-environment fields of which two environments have different values."""
    ours, theirs = plain(left), plain(right)
    return [field for field in marked(ours) if at(ours, field.path) != at(theirs, field.path)]


def _moved(environment: _Environment, before: Facts) -> set[Leaf]:
    """The leaves that are not as `before`; none where a setting is of no use without others."""
    try:
        return _changed(before, environment.render()[0])
    except Exception:  # whatever the program raises for settings that the loader would refuse
        return set()


def _changed(old: Facts, new: Facts) -> set[Leaf]:
    return {
        leaf for leaf in old.keys() | new.keys() if old.get(leaf, MISSING) != new.get(leaf, MISSING)
    }
