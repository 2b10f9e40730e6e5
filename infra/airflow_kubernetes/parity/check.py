"""The verdict on two environments: the settings that differ, and every problem."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path as FilePath

from ..comparison.leaves import Difference, differences, dotted, narrowed
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
    branch = next(branches(exchange.names), "")
    cause = (
        "the program decides by the environment's name"
        if branch
        else "this depends on something that is no setting: the environment's name, a variable, a "
        "file"
    )
    fix = f"{cause}; decide by a field of settings/schema/ that is marked PerEnvironment instead"
    for difference in exchange.unexplained:
        whose = left if difference in exchange.differences else f"{left} with the values of {right}"
        for item in narrowed(difference):
            yield _disparity(exchange, item, whose, branch, fix)


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
    explained = [item for item in exchange.differences if item.path in exchange.explained]
    for item in explained if SANDBOX not in exchange.names else ():
        if all(str(value).startswith(f"{REGISTRY}/") for value in (item.old, item.new)):
            by = [path for path, changed in exchange.changed_by.items() if item.path in changed]
            fix = (
                "environments run the same images, each from its own registry; "
                f"{', '.join(by) or 'no setting'} may not decide which"
            )
            yield _disparity(exchange, item, exchange.names[0], "", fix)


def _disparity(
    exchange: Exchange, item: Difference, whose: str, location: str, fix: str
) -> Disparity:
    """An unexplained difference; without a location, it is where the resource is registered."""
    before, exchanged, after = exchange.resources
    resource, *path = item.path
    place = location or (after | exchanged | before)[resource].place
    subject = f"{resource}: {dotted(tuple(path))}" if path else resource
    values = ((whose, item.old), (exchange.names[1], item.new))
    return Disparity("unexplained", place, subject, values, fix)
