"""The settings of one environment: common.yaml, <env>.yaml and overrides, merged and checked.

Every problem is found before anything is touched, and all are reported together.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from ..paths import ROOT
from . import expiry, names
from .bounds import assigned, out_of_bounds
from .document import ENOUGH, Document, override, problem, read
from .problems import Fault, Path, Problem, SettingsError, dotted
from .schema import Settings
from .validation import in_quotes, mark_of, wrong_values

Rules = Callable[[Settings, str], Iterable[Fault]]
"""Cross-field rules for the settings of the named environment."""

VALUES = ROOT / "values"


def environments(directory: FilePath = VALUES) -> list[str]:
    """The names of all environments: the values files except common.yaml."""
    return sorted(file.stem for file in directory.glob("[!.]*.yaml") if file.stem != "common")


def load(environment: str, overrides: str, directory: FilePath, rules: Rules) -> Settings:
    """The settings of one environment.

    `overrides` is `section.key=value …` for one command; `rules` find contradictions between
    valid fields. Raises SettingsError with every problem.
    """
    known = environments(directory)
    if environment not in known:
        message = f"no environment {environment!r}; there are: {', '.join(known)}"
        raise SettingsError([Problem(f"{directory.name}/", 0, "", message), *_misnamed(directory)])
    common, own, overriding = _documents(environment, overrides, directory)
    own_settings = expiry.without(own)
    layers = [overriding, own_settings, common]
    data = merged(merged(common.data, own_settings.data), overriding.data)
    base, wrong_in_common = _validated(common.data, [common])
    settings, wrong = _validated(data, layers)
    refused = {path for path, _ in wrong}
    if settings is None:  # the combinations are checked all the same, with common's values instead
        for path, _ in wrong:
            source = common.data
            if (text := in_quotes(path, layers, Settings)) is not None:
                source = _nested(path, text)
                refused.discard(path)
            data = _restored(data, source, path)
        settings, _ = _validated(data, layers)
    found = () if settings is None else islice(rules(settings, environment), ENOUGH)
    # Not of what is refused: a rule saw common's value.
    contradictions = [fault for fault in found if fault[0] not in refused]
    told = {path for path, _ in contradictions}  # there, quotes alone would not be enough
    problems = [problem(*fault, [common]) for fault in wrong_in_common if fault[0] not in told]
    in_common = {path for path, _ in wrong_in_common}
    problems += [
        problem(*fault, layers)
        for fault in wrong
        if fault[0] not in told and not _below(fault[0], in_common)
    ]
    problems += [problem(*fault, layers) for fault in contradictions]
    problems += _misplaced(own_settings, environment)
    problems += _misnamed(directory)
    if settings is not None and base is not None:
        problems += [problem(*fault, layers) for fault in out_of_bounds(settings, base)]
        late = islice(expiry.problems(own, settings, base), ENOUGH)
        problems += [problem(*fault, [own]) for fault in late]
    if problems or settings is None:
        raise SettingsError(problems)
    return settings


def _documents(
    environment: str, overrides: str, directory: FilePath
) -> tuple[Document, Document, Document]:
    """common.yaml, the environment's file and the overrides. Raises all their problems together."""
    problems: list[Problem] = []

    def attempt(reader: Callable[[], Document]) -> Document | None:
        try:
            return reader()
        except SettingsError as error:
            problems.extend(error.problems)
            return None

    def file(name: str) -> Document:
        return read(directory / f"{name}.yaml", f"{directory.name}/{name}.yaml")

    common, own = attempt(lambda: file("common")), attempt(lambda: file(environment))
    overriding = attempt(lambda: override(overrides))
    if common is not None and own is not None and overriding is not None:
        return common, own, overriding
    if common is not None:  # its values do not depend on the others
        problems += [problem(*fault, [common]) for fault in _validated(common.data, [common])[1]]
    raise SettingsError(problems)


def _validated(data: dict[str, Any], layers: list[Document]) -> tuple[Settings | None, list[Fault]]:
    """The settings, and what is wrong in `data`, which is the layers merged."""
    try:
        return Settings.model_validate(data), []
    except ValidationError as error:
        return None, list(wrong_values(error, Settings, layers))


def _below(path: Path, wrong: set[Path]) -> bool:
    """Whether `path` is in a section that is wrong as a whole: in it, everything is missing."""
    return any(path[:length] in wrong for length in range(1, len(path)))


def merged(below: Any, above: Any) -> Any:
    """`above` over `below`: mappings key by key, anything else as a whole."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {key: merged(below.get(key), value) for key, value in above.items()}


def _restored(data: dict[Any, Any], common: Any, path: Path) -> dict[Any, Any]:
    """`data` with common's value at `path`, without a value if common has none.

    A wrong item of a list restores the whole list.
    """
    key, *rest = path
    common = common if isinstance(common, dict) else {}
    if rest and isinstance(data.get(key), dict):
        return data | {key: _restored(data[key], common.get(key), tuple(rest))}
    if key in common:
        return data | {key: common[key]}
    return {name: value for name, value in data.items() if name != key}


def _nested(path: Path, value: Any) -> Any:
    """Sections within each other that have nothing but `value`, at `path`."""
    for part in reversed(path):
        value = {part: value}
    return value


def _misnamed(directory: FilePath) -> Iterator[Problem]:
    """Files that look like those of environments, and that no command could name."""
    for file in sorted(directory.glob("[!.]*")):
        if file.suffix.lower() not in (".yaml", ".yml"):
            continue
        shown = f"{directory.name}/{file.name}"
        if file.suffix != ".yaml":
            yield Problem(shown, 0, "", f"is not read: rename it to {file.stem}.yaml")
        elif (message := names.environment(file.stem)) is not None:
            yield Problem(shown, 0, "", message)


def _misplaced(own: Document, environment: str) -> Iterator[Problem]:
    """Fields in an environment's file that only common.yaml, or another environment, may set."""
    for path, field in assigned(own.data):
        mark = mark_of(field)
        if mark is None:
            message = "the same in every environment; set it in values/common.yaml"
        elif not mark.allows(environment):
            message = f"only values/{mark.only}.yaml may set this: {mark.why}"
        else:
            continue
        yield Problem(own.file, own.lines[path], dotted(path), message)
