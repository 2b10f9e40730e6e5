"""policies.yaml: rules that one object may break for a time, with the reason and who answers."""

import difflib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path as FilePath
from typing import Annotated

from pydantic import StringConstraints, ValidationError

from ..errors import UserError
from ..kubernetes.manifest import Manifest, logical_name
from ..settings.document import Document, read
from ..settings.fields import Section, Text
from ..settings.problems import Path, Problem, SettingsError, dotted
from ..settings.validation import wrong_values

FILE = FilePath(__file__).parents[3] / "policies.yaml"


class WaiversError(UserError):
    """policies.yaml cannot stay as it is; `problems` is never empty."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        count = len(self.problems)
        head = f"{count} problem{'s' if count > 1 else ''} with waivers:"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))


@dataclass(frozen=True)
class Waiver:
    """`object` (`Kind/name`, a Job's without its hash) may break `rule` up to the day `expires`.

    `environment` None means every environment. `place` is where the waiver stands, for messages.
    """

    rule: str
    object: str
    environment: str | None
    reason: str
    owner: str
    expires: date
    place: Problem = field(compare=False)

    def __str__(self) -> str:
        return f"until {self.expires}, {self.owner}: {self.reason}"

    def problem(self, key: str, message: str) -> Problem:
        """What is wrong with one of its keys."""
        place = self.place
        return Problem(place.file, place.line, f"{place.path}.{key}", message)


class _Entry(Section):
    rule: Text
    object: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]*/[a-z0-9][a-z0-9.-]*$")]
    environment: Text | None = None
    reason: Annotated[str, StringConstraints(min_length=10)]
    owner: Text
    expires: date


class _File(Section):
    waivers: list[_Entry]


def object_name(obj: Manifest) -> str:
    """`Kind/name` as a waiver says it: without the hash at the end of a Job's name."""
    name: str = obj["metadata"]["name"]
    if obj["kind"] == "Job":
        name = logical_name(obj).removesuffix("-job")
    return f"{obj['kind']}/{name}"


def load(
    rules: Collection[str], environments: Collection[str], file: FilePath = FILE
) -> list[Waiver]:
    """The waivers of a file. Raises WaiversError with everything that is wrong in it.

    Whether one has expired, or waives nothing any more, only shows when the rules run: `spent`.
    """
    try:
        document = read(file, file.name)
    except SettingsError as error:
        raise WaiversError(error.problems) from None
    try:
        entries = _File.model_validate(document.data).waivers
    except ValidationError as error:
        raise WaiversError(
            _problem(document, path, _reworded(message))
            for path, message in wrong_values(error, _File)
        ) from None
    found = [
        Waiver(**dict(entry), place=_problem(document, ("waivers", number), ""))
        for number, entry in enumerate(entries)
    ]
    problems = [
        _problem(document, path, message) for path, message in _unknown(found, rules, environments)
    ]
    if problems:
        raise WaiversError(problems)
    return found


def spent(
    waivers: Iterable[Waiver],
    used: Collection[Waiver],
    today: date,
    checked: Collection[str | None],
) -> list[Problem]:
    """The waivers that have expired, and those that waive nothing, as problems.

    `used` are those that a violation named, and `checked` the environments that were looked at;
    None is among them if all were.
    """
    found = []
    for waiver in waivers:
        if today > waiver.expires:
            message = (
                f"was {waiver.expires}: {waiver.owner} mends {waiver.object}, or gives a later day "
                "and says in reason why"
            )
            found.append(waiver.problem("expires", message))
        elif waiver not in used and waiver.environment in checked:
            message = f"waives nothing: no {waiver.object} breaks {waiver.rule}; remove the waiver"
            found.append(waiver.problem("rule", message))
    return found


def _unknown(
    waivers: list[Waiver], rules: Collection[str], environments: Collection[str]
) -> Iterator[tuple[Path, str]]:
    for number, waiver in enumerate(waivers):
        for key, value, known in (
            ("rule", waiver.rule, rules),
            ("environment", waiver.environment, environments),
        ):
            if value is not None and value not in known:
                near = difflib.get_close_matches(value, list(known), n=1)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
                yield ("waivers", number, key), f"there is no {key} {value}; {hint}"
        if waiver in waivers[:number]:
            yield ("waivers", number), "stands twice; keep one"


def _reworded(message: str) -> str:
    """`wrong_values` speaks of values files, in which common.yaml holds every setting."""
    if message.startswith("missing"):
        return "missing; a waiver has rule, object, reason, owner and expires (a date)"
    return message


def _problem(document: Document, path: Path, message: str) -> Problem:
    """At the line of `path`, or of what it would stand in."""
    length = next(n for n in range(len(path), -1, -1) if path[:n] in document.lines)
    return Problem(document.file, document.lines[path[:length]], dotted(path), message)
