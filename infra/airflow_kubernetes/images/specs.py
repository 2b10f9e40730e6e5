"""The specification of an image: files, build arguments, platforms, and the tag made of them."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..settings.problems import Problem, SettingsError

EPOCH = "1577836800"
"""The date of every file in an image (SOURCE_DATE_EPOCH): the same files give the same digest.

2020-01-01, for zip files know no date before 1980.
"""

ON_IMAGE = "ON_IMAGE"
"""The build argument of an image that is a layer on another one."""


@dataclass(frozen=True)
class File:
    """A file of a build context: its path in it, its mode (755 or 644) and its content.

    The content is read once, so that tag, build and lock are of the same bytes even if the
    checkout is edited meanwhile.
    """

    path: str
    mode: int
    content: bytes


@dataclass(frozen=True)
class ImageSpec:
    """An image to build.

    `dated`: its Dockerfile sets the date SOURCE_DATE_EPOCH on all files that it copies. `on` is the
    image of this project on which it is a layer; the build gets its reference as ON_IMAGE.
    """

    name: str
    files: tuple[File, ...]
    arguments: tuple[tuple[str, str], ...]
    platforms: tuple[str, ...]
    dated: bool = False
    on: "ImageSpec | None" = None

    @property
    def base(self) -> str:
        """The base image, with its digest where that is known."""
        return self.on.base if self.on else dict(self.arguments)["PYTHON_BASE_IMAGE"]

    @cached_property
    def tag(self) -> str:
        """16 hexadecimal digits over files, arguments and platforms: the same on every machine."""
        digest = hashlib.sha256()

        def add(*parts: bytes) -> None:
            for part in parts:
                digest.update(len(part).to_bytes(8, "big"))
                digest.update(part)

        for file in sorted(self.files, key=lambda file: file.path):
            add(file.path.encode(), oct(file.mode).encode(), file.content)
        for name, value in sorted(self.arguments):
            add(name.encode(), value.encode())
        add(*(platform.encode() for platform in sorted(self.platforms)))
        if self.on:
            add(self.on.tag.encode())
        return digest.hexdigest()[:16]


def read(source: Path, path: str) -> File:
    """The file at `source` as `path` of a context.

    Of its mode only "executable or not" counts: the rest depends on the umask of the checkout.
    """
    try:
        mode = 0o755 if source.stat().st_mode & 0o100 else 0o644
        return File(path, mode, source.read_bytes())
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise SettingsError([Problem(str(source), 0, "", message)]) from None


def below(folder: Path, tree: Path | None = None) -> list[str]:
    """Relative paths of a folder's files, sorted, without what tools and editors leave behind.

    Links are followed inside of `tree`: the folder, or one that contains it. Raises SettingsError
    with every other link, and with what cannot be read or named in an image.
    """
    tree = tree or folder
    problems: list[Problem] = []
    files: list[str] = []

    def refuse(path: Path, message: str) -> None:
        problems.append(Problem(str(path.relative_to(tree.parent)), 0, "", message))

    def walk(path: Path, parents: tuple[Path, ...]) -> None:
        try:
            if path.is_symlink() and (message := _misled(path, tree, parents)) is not None:
                refuse(path, message)
            elif not path.name.isprintable():
                refuse(path, "has a character in its name that cannot be seen: rename it")
            elif path.is_dir():
                for child in path.iterdir():
                    if not _left_behind(child):
                        walk(child, (*parents, path.resolve()))
            elif path.is_file():
                files.append(str(path.relative_to(folder)))
        except OSError as error:
            refuse(path, f"cannot be read: {error.strerror}")

    if folder.is_file():
        refuse(folder, "is a file, and should be a folder: rename or remove it")
    walk(folder, ())
    if problems:
        raise SettingsError(problems)
    return sorted(files)


def _misled(link: Path, tree: Path, parents: tuple[Path, ...]) -> str | None:
    """Why a link inside of the folders `parents` of `tree` cannot be followed; None if it can."""
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: until Python 3.12, a link to itself
        return f"is a link to {link.readlink()}, which does not exist: remove it"
    if not target.is_relative_to(tree.resolve()):
        return f"is a link out of {tree.name}/, to {target}: put a copy here instead"
    if any(parent.is_relative_to(target) for parent in parents):
        return f"is a link to {link.readlink()}, which contains it: remove it"
    return None


def _left_behind(path: Path) -> bool:
    """Caches, hidden files, and virtual environments (PEP 405: they have a pyvenv.cfg)."""
    return (
        path.name == "__pycache__"
        or (path.name.startswith(".") and path.name != ".airflowignore")
        or (path / "pyvenv.cfg").exists()
    )


def shared(root: Path) -> list[File]:
    """Files that every build context has below shared/."""
    folder = root / "images" / "shared"
    return [read(folder / name, f"shared/{name}") for name in below(folder, root / "images")]
