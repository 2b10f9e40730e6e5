"""Waivers in policies.yaml: rules that one object may break until an expiry date, and why."""

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from pathlib import Path as FilePath
from typing import Annotated

from pydantic import AfterValidator, PrivateAttr, StringConstraints
from pydantic_core import PydanticCustomError

from ..errors import UserError
from ..kubernetes.manifest import Manifest, logical_name
from ..paths import ROOT
from ..settings.document import Document, problem, read
from ..settings.fields import Section, Text
from ..settings.problems import Path, Problem, SettingsError, listed
from ..settings.validation import nearest, validated

FILE = ROOT / "policies.yaml"
MISSING = "missing; a waiver has rule, object, reason, owner and expires (a date)"


class WaiversError(UserError):
    """Waivers are wrong, expired or unnecessary; the message has a line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        lines = listed(problems)
        count = f"{len(lines)} problem{'s' if len(lines) > 1 else ''} with waivers:"
        super().__init__("\n".join([count, *lines]))


def _object(name: str) -> str:
    if re.fullmatch(r"[A-Z][A-Za-z]*/[a-z0-9][a-z0-9.-]*", name) is None:
        raise PydanticCustomError("object", "should be Kind/name, as StatefulSet/airflow-mysql")
    return name


class Waiver(Section):
    """`object` (`Kind/name`, a Job's without its hash) may break `rule` up to the day `expires`.

    `environment` None means every environment.
    """

    rule: Text
    object: Annotated[str, AfterValidator(_object)]
    environment: Text | None = None
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=10)]
    owner: Text
    expires: date
    _file: Document = PrivateAttr()
    _path: Path = PrivateAttr()

    def __str__(self) -> str:
        return f"until {self.expires}, {self.owner}: {self.reason}"

    def problem(self, key: str, message: str) -> Problem:
        """A problem of the waiver's key, with its line."""
        return problem((*self._path, key), message, [self._file])


class _File(Section):
    waivers: list[Waiver]


def object_name(obj: Manifest) -> str:
    """`Kind/name` as a waiver writes it: a Job's name without the hash at its end."""
    name: str = obj["metadata"]["name"]
    if obj["kind"] == "Job":
        name = logical_name(obj).removesuffix("-job")
    return f"{obj['kind']}/{name}"


def load(
    rules: Collection[str], environments: Collection[str], file: FilePath = FILE
) -> list[Waiver]:
    """The waivers of a file. Raises WaiversError with all of its problems.

    Whether a waiver is still necessary depends on the violations: see `outdated`.
    """
    try:
        document = read(file, file.name)
        waivers = validated(_File, document, MISSING).waivers
    except SettingsError as error:
        raise WaiversError(error.problems) from None
    for number, waiver in enumerate(waivers):
        waiver._file, waiver._path = document, ("waivers", number)
    unknown = [
        waiver.problem(key, f"there is no {key} {name}{nearest(name, sorted(known))}")
        for waiver in waivers
        for key, name, known in (
            ("rule", waiver.rule, rules),
            ("environment", waiver.environment, environments),
        )
        if name is not None and name not in known
    ]
    if unknown:
        raise WaiversError(unknown)
    return waivers


def outdated(
    waivers: Iterable[Waiver],
    used: Collection[Waiver],
    today: date,
    checked: Collection[str | None],
) -> Iterator[Problem]:
    """A problem for each waiver that has expired, or that no violation uses.

    `checked` are the environments that were checked; it includes None if these are all.
    """
    for waiver in waivers:
        if today > waiver.expires:
            message = (
                f"was {waiver.expires}: {waiver.owner} fixes {waiver.object}, or sets a later day "
                "and says in reason why"
            )
            yield waiver.problem("expires", message)
        elif waiver not in used and waiver.environment in checked:
            message = f"no {waiver.object} breaks {waiver.rule}; remove the waiver"
            yield waiver.problem("rule", message)
