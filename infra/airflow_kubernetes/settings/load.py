"""values/common.yaml, values/<env>.yaml and one command's overrides, merged and checked.

Every mistake is found before anything is touched, and all are reported together.
"""

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from . import expiry
from .bounds import beyond
from .document import Document, override, read
from .fields import Section
from .problems import Fault, Path, Problem, SettingsError, dotted
from .schema import Settings
from .validation import fields, mark_of, section_of, sections_of, wrong_values

STOPPED = "airflow.stopped=true"
"""The one override that a real environment takes: `make upgrade` applies it for some minutes."""

Rules = Callable[[Settings, str], Iterable[Fault]]
"""Cross-field rules for the settings of the named environment."""

VALUES = FilePath(__file__).parents[3] / "values"


def environments(directory: FilePath = VALUES) -> list[str]:
    """The names of all environments: one values file each, beside common.yaml."""
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
    common, whole, once = _documents(environment, overrides, directory)
    own = expiry.without(whole)
    problems = _type_problems(common.data, [common])
    merged = _merge(_merge(common.data, own.data), once.data)
    layers = [once, own, common]
    problems += _type_problems(merged, layers)
    problems += _out_of_place(own, environment)
    # The combinations are checked even where single values are wrong: those fall back to common's.
    settings = _settings(_mended(merged, common.data))
    if settings is not None:
        problems += [
            _problem(path, message, layers) for path, message in rules(settings, environment)
        ]
        if (base := _settings(common.data)) is not None:
            problems += [_problem(*one, layers) for one in beyond(settings, base)]
            problems += [_problem(*one, [whole]) for one in expiry.wrong(whole, settings, base)]
    if problems or settings is None:
        raise SettingsError(problems)
    return settings


def _documents(
    environment: str, overrides: str, directory: FilePath
) -> tuple[Document, Document, Document]:
    """All three sources of values; what cannot be read in any of them is reported together."""
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
    common, own, once = documents
    return common, own, once


def _settings(data: dict[str, Any]) -> Settings | None:
    try:
        return Settings.model_validate(data)
    except ValidationError:
        return None


def _merge(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return deepcopy(above)
    merged = dict(below)
    for key, value in above.items():
        merged[key] = _merge(below[key], value) if key in below else deepcopy(value)
    return merged


def _mended(merged: dict[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    """`merged` with every invalid value replaced by common's, and unknown keys dropped."""
    try:
        Settings.model_validate(merged)
    except ValidationError as error:
        mended = deepcopy(merged)
        for path, _ in wrong_values(error, Settings):
            _restore(mended, common, path)
        return mended
    return merged


def _restore(data: Any, common: Any, path: Path) -> None:
    for index, part in enumerate(path[:-1]):
        if not isinstance(data, dict) or not isinstance(common, dict):
            return
        if isinstance(data.get(part), list):  # a wrong item spoils its list
            path = path[: index + 1]
            break
        data, common = data.get(part), common.get(part)
    if not isinstance(data, dict):
        return
    if isinstance(common, dict) and path[-1] in common:
        data[path[-1]] = deepcopy(common[path[-1]])
    else:
        data.pop(path[-1], None)


def _type_problems(data: dict[str, Any], layers: list[Document]) -> list[Problem]:
    try:
        Settings.model_validate(data)
    except ValidationError as error:
        return [_problem(path, message, layers) for path, message in wrong_values(error, Settings)]
    return []


def _problem(path: Path, message: str, layers: list[Document]) -> Problem:
    """`message` placed in the topmost layer that sets `path`, else at its nearest parent."""
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


def _out_of_place(own: Document, environment: str) -> list[Problem]:
    """Fields in an environment's file that only common.yaml, or only another one, may set."""
    return [
        Problem(own.file, own.lines.get(path, 0), dotted(path), message)
        for path, message in _forbidden(own.data, Settings, environment, ())
    ]


def _forbidden(
    data: dict[str, Any], section: type[Section], environment: str, path: Path
) -> Iterator[tuple[Path, str]]:
    for key, value in data.items():
        field = fields(section).get(key)
        if field is None:
            continue  # reported as unknown already
        here = (*path, key)
        mark = mark_of(field)
        if mark is not None:
            if not mark.allows(environment):
                yield here, f"only values/{mark.only}.yaml may set this: {mark.why}"
        elif (inner := section_of(field)) is not None and isinstance(value, dict):
            yield from _forbidden(value, inner, environment, here)
        elif (inner := sections_of(field)) is not None and isinstance(value, dict):
            for name, one in value.items():
                if isinstance(one, dict):
                    yield from _forbidden(one, inner, environment, (*here, name))
        else:
            yield here, "the same in every environment; set it in values/common.yaml"
