"""What goes into each image: files, build arguments, platforms."""

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..airflow.releases import RELEASES
from ..settings.schema import Settings

ROOT = Path(__file__).parents[3]


def cache() -> Path:
    """Where what can be made again is kept outside the checkout (XDG Base Directory)."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "airflow-kubernetes"


@dataclass(frozen=True)
class File:
    """A file of a build context: its path there, its mode (755 or 644) and its content.

    The content is read once, so that tag, build and lock speak of the same bytes even if the
    checkout is edited meanwhile.
    """

    path: str
    mode: int
    content: bytes


@dataclass(frozen=True)
class ImageSpec:
    """An image before it is built."""

    name: str
    files: tuple[File, ...]
    arguments: tuple[tuple[str, str], ...]
    platforms: tuple[str, ...]

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


def airflow(settings: Settings, root: Path = ROOT) -> ImageSpec:
    """The Airflow image: images/airflow with the release's own lock, and dags/.

    Where DAGs come from Git, the image has none, but what Airflow 3 fetches them with.
    """
    version = settings.airflow.version
    source = root / "images" / "airflow"
    files = [read(source / name, name) for name in below(source) if _used(name, version)]
    arguments = [
        ("AIRFLOW_VERSION", version),
        ("PYTHON_BASE_IMAGE", settings.images.airflow.python_base_image),
    ]
    if settings.airflow.dags.source == "image":
        files += [read(root / "dags" / name, f"dags/{name}") for name in below(root / "dags")]
    elif RELEASES[version].dag_bundles:
        arguments.append(("SYSTEM_PACKAGES", "git openssh-client"))
    return ImageSpec("airflow", tuple(files), tuple(arguments), tuple(settings.images.platforms))


def read(source: Path, path: str) -> File:
    """The file at `source` as `path` of a context.

    Executable or not is all that counts of its mode: the rest depends on the umask of a checkout.
    """
    mode = 0o755 if source.stat().st_mode & 0o100 else 0o644
    return File(path, mode, source.read_bytes())


def below(folder: Path) -> list[str]:
    """Relative paths of a folder's files, without what tools and editors leave behind."""
    return sorted(
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and not any(map(_left_behind, file.relative_to(folder).parts))
    )


def _left_behind(part: str) -> bool:
    return part == "__pycache__" or (part.startswith(".") and part != ".airflowignore")


def _used(name: str, version: str) -> bool:
    """Other releases' locks and the documentation are no reason to build again."""
    if name.startswith("locks/"):
        return name == "locks/build.txt" or name.startswith(f"locks/{version}-")
    return not name.endswith(".md")
