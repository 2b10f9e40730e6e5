"""The settings of one environment: common.yaml, <env>.yaml and overrides, merged and checked.

Every problem is found before anything is touched, and all are reported together.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from ..paths import ROOT
from . import expiry
from .bounds import assigned, out_of_bounds
from .document import Document, override, read
from .problems import Fault, Path, Problem, SettingsError, dotted
from .schema import Settings
from .validation import mark_of, wrong_values

Rules = Callable[[Settings, str], Iterable[Fault]]
"""Cross-field rules for the settings of the named environment."""

VALUES = ROOT / "values"


def environments(directory: FilePath = VALUES) -> list[str]:
    """The names of all environments: the values files except common.yaml."""
    return sorted(file.stem for file in directory.glob("*.yaml") if file.stem != "common")


def load(environment: str, overrides: str, directory: FilePath, rules: Rules) -> Settings:
    """The settings of one environment.

    `overrides` is `section.key=value …` for one command; `rules` find contradictions between
    valid fields. Raises SettingsError with every problem.
    """
    known = environments(directory)
    if environment not in known:
        message = f"no environment {environment!r}; there are: {', '.join(known)}"
        raise SettingsError([Problem(f"{directory.name}/", 0, "", message)])
    common, own, overriding = _documents(environment, overrides, directory)
    own_settings = expiry.without(own)
    layers = [overriding, own_settings, common]
    merged = _merged(_merged(common.data, own_settings.data), overriding.data)
    base, wrong_in_common = _validated(common.data)
    settings, wrong = _validated(merged)
    if settings is None:  # the combinations are checked all the same, with common's values instead
        for path, _ in wrong:
            merged = _restored(merged, common.data, path)
        settings, _ = _validated(merged)
    problems = [_problem(*fault, [common]) for fault in wrong_in_common]
    problems += [_problem(*fault, layers) for fault in wrong]
    problems += _misplaced(own_settings, environment)
    if settings is not None:
        problems += [_problem(*fault, layers) for fault in rules(settings, environment)]
    if settings is not None and base is not None:
        problems += [_problem(*fault, layers) for fault in out_of_bounds(settings, base)]
        problems += [_problem(*fault, [own]) for fault in expiry.problems(own, settings, base)]
    if problems or settings is None:
        raise SettingsError(problems)
    return settings


def _documents(
    environment: str, overrides: str, directory: FilePath
) -> tuple[Document, Document, Document]:
    """common.yaml, the environment's file and the overrides. Raises all their problems together."""
    sources: list[Callable[[], Document]] = [
        lambda: read(directory / "common.yaml", f"{directory.name}/common.yaml"),
        lambda: read(directory / f"{environment}.yaml", f"{directory.name}/{environment}.yaml"),
        lambda: override(overrides),
    ]
    documents: list[Document] = []
    problems: list[Problem] = []
    for source in sources:
        try:
            documents.append(source())
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)
    common, own, overriding = documents
    return common, own, overriding


def _validated(data: dict[str, Any]) -> tuple[Settings | None, list[Fault]]:
    try:
        return Settings.model_validate(data), []
    except ValidationError as error:
        return None, list(wrong_values(error, Settings))


def _merged(below: Any, above: Any) -> Any:
    """`above` over `below`: mappings key by key, anything else as a whole."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {key: _merged(below.get(key), value) for key, value in above.items()}


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


def _problem(path: Path, message: str, layers: list[Document]) -> Problem:
    """`message` at `path`, or at its nearest parent, in the first layer that sets it."""
    for length in range(len(path), 0, -1):
        for layer in layers:
            if _has(layer.data, path[:length]):
                return Problem(layer.file, layer.lines.get(path[:length], 0), dotted(path), message)
    return Problem(layers[-1].file, 1, dotted(path), message)


def _has(data: Any, path: Path) -> bool:
    for part in path:
        if isinstance(data, list):
            data = dict(enumerate(data))
        if not isinstance(data, dict) or part not in data:
            return False
        data = data[part]
    return True


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
