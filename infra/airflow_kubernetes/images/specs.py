"""The specification of an image: files, build arguments, platforms, and the tag made of them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

EPOCH = "1577836800"
"""The date of every file in an image (SOURCE_DATE_EPOCH): the same files give the same digest.

2020-01-01, for zip files know no date before 1980.
"""


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

    `dated`: its Dockerfile sets the date SOURCE_DATE_EPOCH on all files that it copies.
    """

    name: str
    files: tuple[File, ...]
    arguments: tuple[tuple[str, str], ...]
    platforms: tuple[str, ...]
    dated: bool = False

    @property
    def base(self) -> str:
        """The base image, with its digest where that is known."""
        return dict(self.arguments)["PYTHON_BASE_IMAGE"]

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
        return digest.hexdigest()[:16]


def read(source: Path, path: str) -> File:
    """The file at `source` as `path` of a context.

    Of its mode only "executable or not" counts: the rest depends on the umask of the checkout.
    """
    mode = 0o755 if source.stat().st_mode & 0o100 else 0o644
    return File(path, mode, source.read_bytes())


def below(folder: Path) -> list[str]:
    """Relative paths of a folder's files, sorted, without what tools and editors leave behind."""

    def walk(parent: Path) -> Iterator[Path]:
        for path in parent.iterdir():
            if _left_behind(path):
                continue
            if path.is_dir():
                yield from walk(path)
            elif path.is_file():
                yield path

    return sorted(str(file.relative_to(folder)) for file in walk(folder))


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
    return [read(folder / name, f"shared/{name}") for name in below(folder)]
