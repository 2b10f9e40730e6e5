"""Two environments, and renders of the first with settings of the second.

The left environment with all settings of the right one must equal it: what differs still depends on
something else. With one of these settings, it shows what that setting changes.
"""

import json
from collections.abc import Iterable
from copy import deepcopy
from functools import cached_property

from ..comparison.leaves import Difference, Path
from ..environment import load
from ..settings.bounds import Marked, at, marked, plain
from ..settings.problems import dotted
from .resources import Resources, changes, render


class Exchange:
    """Two environments by name; `values` are their settings, `fields` those that differ."""

    def __init__(self, left: str, right: str) -> None:
        """Raises SettingsError if the values of either cannot be used."""
        self.names = left, right
        self.values = ours, theirs = plain(load(left)), plain(load(right))
        self.fields = [f for f in marked(ours) if at(ours, f.path) != at(theirs, f.path)]

    @cached_property
    def resources(self) -> tuple[Resources, Resources, Resources]:
        """Those of left, of left with the settings of right, and of right."""
        before, exchanged = self._with([]), self._with(self.fields)
        # Right comes last: what the program retains of that run must not make left look like it.
        return before, exchanged, render(self.names[1], json.dumps(self.values[1]))

    @cached_property
    def differences(self) -> list[Difference]:
        """Between left and right."""
        before, _, after = self.resources
        return changes(before, after)

    @cached_property
    def unexplained(self) -> list[Difference]:
        """Between left with the settings of right, and right."""
        _, exchanged, after = self.resources
        return changes(exchanged, after)

    @cached_property
    def explained(self) -> set[Path]:
        """Where left and right differ because of their settings."""
        return {item.path for item in self.differences} - {item.path for item in self.unexplained}

    @cached_property
    def changed_by(self) -> dict[str, set[Path]]:
        """The explained paths that each differing setting changes on its own, one render for each.

        Several settings may change a path (a checksum). Empty for a setting that has an effect, or
        is possible, only together with another one.
        """
        result: dict[str, set[Path]] = {}
        for field in self.fields:
            try:
                found = changes(self.resources[0], self._with([field]))
            except ValueError:  # of a builder that relies on the rules
                found = []
            result[dotted(field.path)] = {item.path for item in found} & self.explained
        return result

    @property
    def together(self) -> set[Path]:
        """The explained paths that no setting changes on its own."""
        return self.explained.difference(*self.changed_by.values())

    def _with(self, fields: Iterable[Marked]) -> Resources:
        """Left's resources, with right's values of the given fields."""
        values = deepcopy(self.values[0])
        for field in fields:
            at(values, field.path[:-1])[field.path[-1]] = at(self.values[1], field.path)
        return render(self.names[0], json.dumps(values))
