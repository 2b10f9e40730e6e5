"""The verdict on two environments: the settings that differ, and every problem."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path as FilePath
from typing import Any

from ..comparison.leaves import Difference, Path, differences, dotted, narrowed
from ..paths import ROOT
from ..settings import expiry, problems
from ..settings.bounds import at
from ..settings.document import read
from ..settings.load import VALUES
from ..settings.marks import SANDBOX
from . import hygiene
from .exchange import Exchange
from .hygiene import Disparity
from .resources import REGISTRY


@dataclass(frozen=True)
class Setting:
    """A per-environment setting that differs, `until` being its expiry date, if any.

    `values` is one difference without a path or, of a section such as `resources`, one for each
    field that differs.
    """

    path: str
    values: tuple[Difference, ...]
    why: str
    owner: str
    until: date | None


@dataclass(frozen=True)
class Parity:
    """The comparison of two environments."""

    left: str
    right: str
    settings: tuple[Setting, ...]
    problems: tuple[Disparity, ...]

    @property
    def verdict(self) -> str:
        """One line: whether the two are alike."""
        both, count = f"{self.left} and {self.right}", len(self.problems)
        if count:
            return f"{both}: {count} problem{'s' if count > 1 else ''}"
        if not self.settings:
            return f"{both}: the same"
        return f"{both}: all differences explained, by {len(self.settings)} settings"


def pairs(environments: Iterable[str]) -> list[tuple[str, str]]:
    """Every two environments that should be alike: all but the sandbox, which has stand-ins."""
    return list(combinations(sorted(name for name in environments if name != SANDBOX), 2))


def parity(exchange: Exchange, today: date) -> Parity:
    """Compare two environments of this checkout. Raises SettingsError and LockError."""
    found = [*_unexplained(exchange), *_images(exchange)]
    for name in exchange.names:
        found += hygiene.values(name, VALUES, today)
        found += hygiene.stack(name, ROOT)
    found.sort(key=lambda item: (item.kind != "unexplained", item.kind, item.location))
    return Parity(*exchange.names, tuple(_settings(exchange)), tuple(found))


def _settings(exchange: Exchange) -> Iterator[Setting]:
    dates = [expiry.days(read(VALUES / f"{name}.yaml", name)) for name in exchange.names]
    for field in exchange.fields:
        path = problems.dotted(field.path)
        values = differences(*(at(side, field.path) for side in exchange.values))
        until = min((days[path] for days in dates if path in days), default=None)
        yield Setting(path, tuple(values), field.mark.why, field.mark.owner, until)


def _unexplained(exchange: Exchange) -> Iterator[Disparity]:
    """What still differs when all settings are exchanged."""
    left, right = exchange.names
    branch = next(branches(exchange.names), None)
    cause = (
        "the program decides by the environment's name"
        if branch
        else "this depends on something that is no setting: the environment's name, a variable, a "
        "file"
    )
    fix = f"{cause}; decide by a field of settings/schema/ that is marked PerEnvironment instead"
    for difference in exchange.unexplained:
        location = branch or _registered(exchange, difference)
        whose = left if difference in exchange.differences else f"{left} with the values of {right}"
        for item in narrowed(difference):
            values = ((whose, item.old), (right, item.new))
            yield Disparity("unexplained", location, _shown(item.path), values, fix)


def branches(names: Collection[str], folder: FilePath = ROOT / "infra") -> Iterator[str]:
    """Lines that compare something called environment or stack with one of the names.

    The name alone proves nothing: `data` and `images` are texts with many uses.
    """
    quoted = "|".join(map(re.escape, names))
    comparison = re.compile(rf"(environment|stack).*(==|!=|\bin\b).*([\"'])({quoted})\3")
    for file in sorted(folder.rglob("*.py")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if comparison.search(line):
                yield f"{file.relative_to(folder.parent)}:{number}"


def _images(exchange: Exchange) -> Iterator[Disparity]:
    """Images with other content, whatever explains them: only the sandbox may have those."""
    if SANDBOX in exchange.names:
        return
    left, right = exchange.names
    for item in exchange.differences:
        if item.path in exchange.explained and _is_image(item.old) and _is_image(item.new):
            by = [path for path, changed in exchange.changed_by.items() if item.path in changed]
            yield Disparity(
                "unexplained",
                _registered(exchange, item),
                _shown(item.path),
                ((left, item.old), (right, item.new)),
                "environments run the same images, each from its own registry; "
                f"{', '.join(by) or 'no setting'} may not decide which",
            )


def _is_image(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(f"{REGISTRY}/")


def _registered(exchange: Exchange, difference: Difference) -> str:
    """The line of the program that registers the resource."""
    before, exchanged, after = exchange.resources
    return (after | exchanged | before)[difference.path[0]].place


def _shown(path: Path) -> str:
    return f"{path[0]}: {dotted(path[1:])}" if path[1:] else path[0]
