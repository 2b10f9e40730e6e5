"""What goes into each image: files, build arguments, platforms."""

from dataclasses import dataclass
from pathlib import Path

from ..settings.schema import Settings

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class ImageSpec:
    """An image before it is built. `files` maps the path in the build context to the file."""

    name: str
    files: tuple[tuple[str, Path], ...]
    arguments: tuple[tuple[str, str], ...]
    platforms: tuple[str, ...]


def airflow(settings: Settings, root: Path = ROOT) -> ImageSpec:
    """The Airflow image: images/airflow with the release's own lock, and dags/."""
    version = settings.airflow.version
    source = root / "images" / "airflow"
    files = [(name, source / name) for name in _below(source) if _used(name, version)]
    files += [(f"dags/{name}", root / "dags" / name) for name in _below(root / "dags")]
    arguments = (
        ("AIRFLOW_VERSION", version),
        ("PYTHON_BASE_IMAGE", settings.images.airflow.python_base_image),
    )
    return ImageSpec("airflow", tuple(files), arguments, tuple(settings.images.platforms))


def _used(name: str, version: str) -> bool:
    """Other releases' locks and the documentation are no reason to build again."""
    if name.startswith("locks/"):
        return name == "locks/build.txt" or name.startswith(f"locks/{version}-")
    return not name.endswith(".md")


def _below(folder: Path) -> list[str]:
    """Relative paths of a folder's files, without what tools and editors leave behind."""
    return sorted(
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file()
        and "__pycache__" not in file.parts
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )
