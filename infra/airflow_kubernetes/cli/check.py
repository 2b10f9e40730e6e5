"""`make check`: the values of every environment, and parity."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..airflow import image_catalog
from ..environment import load
from ..errors import CommandError, UserError
from ..paths import ROOT
from ..settings import stack_file
from ..settings.load import environments
from ..settings.problems import SettingsError
from ..settings.schema import Settings
from .parity import parity_of_all
from .shared_locations import shared


def check(environment: str) -> None:
    """Load the values, describe the images and read the stack's file of an environment, or of all;
    compare these.

    Raises CommandError with every problem of every file, and for two environments that use the
    same place.
    """
    names = [environment] if environment else environments()
    if not names:
        raise CommandError("values/ has no file of an environment")
    settings: dict[str, Settings] = {}
    errors: list[UserError] = []
    for name in names:
        with _kept(errors):
            settings[name] = load(name)
            image_catalog.every(settings[name])
            print(f"values of {name}: no problem found")
        with _kept(errors):
            if (ROOT / f"Pulumi.{name}.yaml").exists():
                stack_file.read(name, ROOT)
    if errors:
        raise CommandError("\n".join(_messages(errors)))
    if found := [*shared(settings)]:
        raise CommandError("\n".join(found))
    if not environment:
        parity_of_all()


@contextmanager
def _kept(errors: list[UserError]) -> Iterator[None]:
    """Keep an error, to look for others."""
    try:
        yield
    except UserError as error:
        errors.append(error)


def _messages(errors: Sequence[UserError]) -> Iterator[str]:
    """Each once: environments share files. The problems of all files are one message."""
    problems = [
        problem
        for error in errors
        if isinstance(error, SettingsError)
        for problem in error.problems
    ]
    if problems:
        yield str(SettingsError(problems))
    yield from dict.fromkeys(str(each) for each in errors if not isinstance(each, SettingsError))
