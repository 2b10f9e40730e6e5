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
from .document import ENOUGH, Document, override, problem, read
from .problems import Fault, Path, Problem, SettingsError, dotted
from .schema import Settings
from .validation import mark_of, wrong_values

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
        raise SettingsError([Problem(f"{directory.name}/", 0, "", message)])
    common, own, overriding = _documents(environment, overrides, directory)
    own_settings = expiry.without(own)
    layers = [overriding, own_settings, common]
    merged = _merged(_merged(common.data, own_settings.data), overriding.data)
    base, wrong_in_common = _validated(common.data, [common])
    settings, wrong = _validated(merged, layers)
    if settings is None:  # the combinations are checked all the same, with common's values instead
        for path, _ in wrong[:ENOUGH]:
            merged = _restored(merged, common.data, path)
        settings, _ = _validated(merged, layers)
    problems = [problem(*fault, [common]) for fault in wrong_in_common]
    in_common = {path for path, _ in wrong_in_common}
    problems += [problem(*fault, layers) for fault in wrong if not _below(fault[0], in_common)]
    problems += _misplaced(own_settings, environment)
    if settings is not None:
        refused = {path for path, _ in wrong}
        problems += [
            problem(*fault, layers)
            for fault in rules(settings, environment)
            if fault[0] not in refused  # the rule saw common's value
        ]
    if settings is not None and base is not None:
        problems += [problem(*fault, layers) for fault in out_of_bounds(settings, base)]
        problems += [problem(*fault, [own]) for fault in expiry.problems(own, settings, base)]
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


def _validated(data: dict[str, Any], layers: list[Document]) -> tuple[Settings | None, list[Fault]]:
    """The settings, and what is wrong in `data`, which is the layers merged."""
    try:
        return Settings.model_validate(data), []
    except ValidationError as error:
        return None, list(wrong_values(error, Settings, layers))


def _below(path: Path, wrong: set[Path]) -> bool:
    """Whether `path` is in a section that is wrong as a whole: in it, everything is missing."""
    return any(path[:length] in wrong for length in range(1, len(path)))


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
