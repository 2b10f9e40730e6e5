"""`make env`: the files of a new environment, copied from those of another one."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from ..environment import load
from ..errors import CommandError
from ..paths import ROOT
from ..settings import expiry, stack_file
from ..settings.bounds import at, marked, plain
from ..settings.document import read
from ..settings.fields import Name
from ..settings.load import environments
from ..settings.marks import SANDBOX
from ..settings.problems import Problem, SettingsError, dotted
from ..settings.stack_file import CONTEXT

STACK = """\
# Only where the cluster is, and encrypted secrets; everything else is in values/.
config:
  {context}: airflow-{name}
"""


def env(name: str, source: str) -> None:
    """Write the new environment's files; print what to review. Raises SettingsError."""
    to_review = create(name, source)
    print(f"made values/{name}.yaml and Pulumi.{name}.yaml: the same as {source} so far")
    print("\n  ".join(["review these:", *to_review]))
    print(f"then: make check, make parity A={source} B={name}, make up ENV={name}")


def create(name: str, source: str, root: Path = ROOT) -> list[str]:
    """Write values/<name>.yaml and Pulumi.<name>.yaml, both or neither.

    Returns the settings that are unlikely to suit both environments, each with its line. Encrypted
    entries are not copied: each stack has its own key. Raises SettingsError with every problem of
    the names, or if `source` cannot be used; CommandError if a file cannot be written.
    """
    values, stack = root / "values" / f"{name}.yaml", root / f"Pulumi.{name}.yaml"
    messages = [
        *_problems_of_name(name, [values, stack]),
        *_problems_of_source(source, environments(root / "values")),
    ]
    if messages:
        raise SettingsError([Problem("make env", 0, "", message) for message in messages])
    load(source, directory=root / "values")
    stack_file.read(source, root)
    text = (root / "values" / f"{source}.yaml").read_text(encoding="utf-8")
    head = f"# {name.capitalize()}: made from {source} by make env; write here what it is for.\n"
    try:
        stack.write_text(STACK.format(context=CONTEXT, name=name), encoding="utf-8")
        # Without the comment at its top, which describes the other environment.
        values.write_text(head + re.sub(r"\A(#.*\n|\s*\n)+", "", text), encoding="utf-8")
    except OSError as error:
        stack.unlink(missing_ok=True)
        raise CommandError(f"{error.filename}: cannot be written: {error.strerror}") from None
    return list(_to_review(name, source, root))


def _problems_of_name(name: str, files: list[Path]) -> Iterator[str]:
    if not name:
        yield "NAME is missing: make env NAME=staging FROM=prod"
        return
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        yield f"NAME={name} is not a DNS label: use a-z, 0-9, and - inside; at most 63"
        return
    if name in ("common", SANDBOX):
        yield f"NAME={name} is reserved by the project: choose another name"
    elif existing := [file.name for file in files if file.exists()]:
        yield f"NAME={name} exists ({', '.join(existing)}): choose another name, or remove it first"


def _problems_of_source(source: str, known: list[str]) -> Iterator[str]:
    usable = [name for name in known if name != SANDBOX]
    if source not in usable:
        why = "has stand-ins that only it may use" if source == SANDBOX else "is not an environment"
        what = f"FROM={source} {why}" if source else "FROM is missing"
        yield f"{what}: choose one of {', '.join(usable)}"


def _to_review(name: str, source: str, root: Path) -> Iterator[str]:
    directory, stack = root / "values", f"Pulumi.{name}.yaml"
    yield f"{stack}:3: {CONTEXT}: airflow-{name}"
    own = read(directory / f"{name}.yaml", f"values/{name}.yaml")
    common = read(directory / "common.yaml", "values/common.yaml")
    settings = plain(load(name, directory=directory))
    dates = expiry.days(own)
    for field in marked(settings):
        value, path = at(settings, field.path), dotted(field.path)
        builds = path == "images.build" and value is True
        if (field.mark.distinct and value is not None) or path in dates or builds:
            file = own if at(own.data, field.path) is not None else common
            text = yaml.safe_dump(value, default_flow_style=True, width=1000).splitlines()[0]
            yield f"{file.file}:{file.lines[field.path]}: {path}: {text}"
    encrypted = stack_file.read(source, root).data.get("config")
    for key in encrypted or {}:
        if key != CONTEXT:
            yield f"{stack}: {key}: not copied: pulumi config set --secret {key} --stack {name}"
