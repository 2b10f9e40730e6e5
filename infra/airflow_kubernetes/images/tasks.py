"""Task images: each is a folder of images/tasks, built by the shared Dockerfile or its own."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..paths import ROOT
from ..settings import document
from ..settings.problems import Problem, SettingsError
from ..settings.schema import AirflowImage, Settings, TaskImage
from ..settings.validation import validated
from . import bases
from .specs import EPOCH, File, ImageSpec, below, read, shared

PREFIX = "task-"
"""The start of their names in the registry and in the lock."""

SETTINGS = "image.yaml"
LEFT_OUT = (SETTINGS, "requirements.in", "README.md")
"""Files that are not in the image: their content is in the arguments or in requirements.txt."""

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")


def short(image: str) -> str:
    """The name that DAGs use: for a task image, the folder's."""
    return image.removeprefix(PREFIX)


def names(root: Path = ROOT) -> list[str]:
    """The names of all task images."""
    return sorted(folder.name for folder in _home(root).glob("[!._]*") if folder.is_dir())


def specs(settings: Settings, root: Path = ROOT) -> list[ImageSpec]:
    """Every task image. Raises SettingsError with the problems of all image.yaml."""
    result, problems = [], []
    for name in names(root):
        try:
            result.append(spec(settings, name, root))
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)
    return result


def spec(settings: Settings, name: str, root: Path = ROOT) -> ImageSpec:
    """One task image. Raises SettingsError for a bad name or image.yaml, and for missing files."""
    folder = _home(root) / name
    image = merged(settings, folder)
    arguments = {
        "IMAGE_NAME": PREFIX + name,
        "PYTHON_BASE_IMAGE": bases.pinned(settings, image.base, image.python),
        "SYSTEM_PACKAGES": " ".join(image.system_packages),
        "SOURCE_DATE_EPOCH": EPOCH,
    }
    files = [
        read(folder / path, path) for path in below(folder, root / "images") if path not in LEFT_OUT
    ]
    if not any(file.path == "Dockerfile" for file in files):
        files.append(read(folder.parent / "Dockerfile", "Dockerfile"))
        if problems := [*_missing(name, files, image.python)]:
            raise SettingsError(problems)
    return ImageSpec(
        PREFIX + name,
        (*files, *shared(root)),
        tuple(arguments.items()),
        tuple(settings.images.platforms),
    )


def _missing(name: str, files: Sequence[File], python: str) -> Iterator[Problem]:
    """What the shared Dockerfile needs: the code, and the lock of packages for the Python."""
    contents = {file.path: file.content for file in files}
    place = f"images/tasks/{name}"
    if "task.py" not in contents:
        yield Problem(f"{place}/task.py", 0, "", "is missing: it is what the image runs")
    lock = f"{place}/requirements.txt"
    if "requirements.txt" not in contents:
        yield Problem(lock, 0, "", "is missing: write requirements.in and run make lock")
    elif f"# Python {python}".encode() not in contents["requirements.txt"].splitlines():
        yield Problem(lock, 1, "", f"is not for Python {python}, the image's: run make lock")


def _home(root: Path) -> Path:
    return root / "images" / "tasks"


def merged(settings: Settings, folder: Path) -> AirflowImage:
    """The folder's image.yaml over the Airflow image's settings. Raises SettingsError."""
    own, chosen = _read_settings(folder)
    image = AirflowImage.model_validate(
        settings.images.airflow.model_dump(by_alias=True)
        | chosen.model_dump(by_alias=True, exclude_none=True, exclude={"requirements"})
    )
    if (misfit := bases.misfit(image)) is not None:
        raise SettingsError([Problem(own.file, own.lines.get(("python",), 1), "python", misfit)])
    return image


def requirements(folder: Path, root: Path = ROOT) -> Path:
    """The file that lists the folder's packages, which may be next to the DAGs that use them.

    Raises SettingsError for a bad image.yaml.
    """
    _, chosen = _read_settings(folder)
    return root / chosen.requirements if chosen.requirements else folder / "requirements.in"


def _read_settings(folder: Path) -> tuple[document.Document, TaskImage]:
    shown = f"images/tasks/{folder.name}"
    if not NAME.fullmatch(folder.name):
        message = "a task image's name has up to 40 of a-z, 0-9 and -, no - at its ends; rename it"
        raise SettingsError([Problem(shown, 0, "", message)])
    if folder.name in ("airflow", "airflow-worker"):
        raise SettingsError([Problem(shown, 0, "", "the name of an Airflow image; rename it")])
    if (folder / "shared").exists():
        message = "builds use this name for images/shared; rename it"
        raise SettingsError([Problem(f"{shown}/shared", 0, "", message)])
    file, shown = folder / SETTINGS, f"{shown}/{SETTINGS}"
    exists = os.path.lexists(file)  # a link to nothing is no missing file
    own = document.read(file, shown) if exists else document.Document(shown, {}, {})
    return own, validated(TaskImage, own, "missing")
