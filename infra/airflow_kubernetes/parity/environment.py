"""`make env`: the files of a new environment, made from those of another one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ..environment import load
from ..images.specs import ROOT
from ..settings import expiry
from ..settings.bounds import at, marked, plain
from ..settings.document import read
from ..settings.fields import Name
from ..settings.load import environments
from ..settings.marks import SANDBOX
from ..settings.problems import Problem, SettingsError, dotted
from .upkeep import CONTEXT

STACK = """\
# Only where the cluster is, and encrypted secrets; everything else is in values/.
config:
  {context}: airflow-{name}
"""


@dataclass(frozen=True)
class Doubt:
    """A copied setting that hardly fits both environments: `place` is its line."""

    place: str
    what: str
    value: object


def create(name: str, source: str, root: Path = ROOT) -> list[Doubt]:
    """Write values/<name>.yaml and Pulumi.<name>.yaml, both or neither; what needs a look.

    Nothing encrypted is copied: each environment has a key of its own. Raises SettingsError with
    all that is wrong with the names, or if the values of `source` cannot be used.
    """
    values, stack = root / "values" / f"{name}.yaml", root / f"Pulumi.{name}.yaml"
    problems = [
        *_wrong_name(name, [values, stack]),
        *_wrong_source(source, environments(root / "values")),
    ]
    if problems:
        raise SettingsError([Problem("make env", 0, "", message) for message in problems])
    load(source, directory=root / "values")
    text = (root / "values" / f"{source}.yaml").read_text(encoding="utf-8")
    head = f"# {name.capitalize()}: made from {source} by make env; write here what it is for.\n"
    _write(
        {
            values: head + _without_head(text),
            stack: STACK.format(context=CONTEXT, name=name),
        }
    )
    return list(_doubts(name, source, root))


def _wrong_name(name: str, files: list[Path]) -> Iterator[str]:
    if not name:
        yield "NAME is missing: make env NAME=staging FROM=prod"
        return
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        yield f"NAME={name} is no DNS label: take a-z, 0-9 and - inside, at most 63, as in staging"
        return
    if name in ("common", SANDBOX):
        yield f"NAME={name} is taken by the project itself: take another one"
    elif there := [file.name for file in files if file.exists()]:
        yield f"NAME={name} exists ({', '.join(there)}): take another one, or remove that first"


def _wrong_source(source: str, known: list[str]) -> Iterator[str]:
    fit = [one for one in known if one != SANDBOX]
    if source not in fit:
        why = "has stand-ins that are for it alone" if source == SANDBOX else "is no environment"
        what = f"FROM={source} {why}" if source else "FROM is missing"
        yield f"{what}: take one of {', '.join(fit)}"


def _without_head(text: str) -> str:
    """Without the comment at the top, which tells of the other environment."""
    lines = text.splitlines(keepends=True)
    while lines and (lines[0].startswith("#") or not lines[0].strip()):
        del lines[0]
    return "".join(lines)


def _write(files: dict[Path, str]) -> None:
    """All new files or, if one cannot be written, none."""
    written: list[Path] = []
    try:
        for path, text in files.items():
            with path.open("x", encoding="utf-8") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for made in written:
            made.unlink()
        message = f"cannot be written ({error.strerror}); no file was made"
        raise SettingsError([Problem(path.name, 0, "", message)]) from None


def _doubts(name: str, source: str, root: Path) -> Iterator[Doubt]:
    directory, stack = root / "values", f"Pulumi.{name}.yaml"
    yield Doubt(f"{stack}:3", CONTEXT, f"airflow-{name}")
    own = read(directory / f"{name}.yaml", f"values/{name}.yaml")
    common = read(directory / "common.yaml", "values/common.yaml")
    settings = plain(load(name, directory=directory))
    days = expiry.days(own)
    for field in marked(settings):
        value, path = at(settings, field.path), dotted(field.path)
        builds = path == "images.build" and value is True
        if (field.mark.distinct and value is not None) or path in days or builds:
            file = own if at(own.data, field.path) is not None else common
            yield Doubt(f"{file.file}:{file.lines[field.path]}", path, value)
    encrypted = read(root / f"Pulumi.{source}.yaml", f"Pulumi.{source}.yaml").data.get("config", {})
    for key in encrypted:
        if key != CONTEXT:
            yield Doubt(stack, key, f"not copied: pulumi config set --secret {key} --stack {name}")
