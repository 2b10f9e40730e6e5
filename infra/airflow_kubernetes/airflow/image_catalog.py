"""The images that an environment runs: Airflow's, a slim one for task pods, and the task images."""

from pathlib import Path

from ..images import bases, tasks
from ..images.specs import EPOCH, File, ImageSpec, below, read, shared
from ..paths import ROOT
from ..settings.problems import Problem, SettingsError
from ..settings.schema import Settings
from .releases import RELEASES

AIRFLOW, WORKER = "airflow", "airflow-worker"

GIT = ("git", "openssh-client")
"""Debian packages with which Airflow's own DAG bundles fetch."""


def every(settings: Settings, root: Path = ROOT) -> list[ImageSpec]:
    """All images of the environment, Airflow's first.

    Raises SettingsError for a bad image.yaml and for a missing lock of Python packages.
    """
    own = [airflow(settings, root)]
    if RELEASES[settings.airflow.version].slim_tasks:
        own.append(worker(settings, root))
    return [*own, *tasks.specs(settings, root)]


def airflow(settings: Settings, root: Path = ROOT) -> ImageSpec:
    """The image of all components: images/airflow with the release's own lock, and dags/."""
    return _of_airflow(settings, root, AIRFLOW, "full")


def worker(settings: Settings, root: Path = ROOT) -> ImageSpec:
    """The same without what only the other components need."""
    return _of_airflow(settings, root, WORKER, "worker")


def of_task_pods(settings: Settings) -> str:
    """The name of the image in which KubernetesExecutor runs a task that names none."""
    slim = settings.airflow.tasks.image == "slim"
    if slim and RELEASES[settings.airflow.version].slim_tasks:
        return WORKER
    return AIRFLOW


def _of_airflow(settings: Settings, root: Path, name: str, flavor: str) -> ImageSpec:
    image, version = settings.images.airflow, settings.airflow.version
    packages = [*image.system_packages, *(GIT if _fetches_dags(settings) else ())]
    lock = f"locks/{version}{'' if flavor == 'full' else f'-{flavor}'}-py{image.python}.txt"
    arguments = {
        "AIRFLOW_VERSION": version,
        "FLAVOR": flavor,
        "PYTHON_BASE_IMAGE": bases.pinned(settings, image.base, image.python),
        "SYSTEM_PACKAGES": " ".join(packages),
        "SOURCE_DATE_EPOCH": EPOCH,
    }
    return ImageSpec(
        name,
        tuple(_files(settings, root, lock)),
        tuple(arguments.items()),
        tuple(settings.images.platforms),
        dated=True,
    )


def _fetches_dags(settings: Settings) -> bool:
    """Whether Airflow fetches DAG code itself, without a sidecar."""
    release = RELEASES[settings.airflow.version]
    return settings.airflow.dags.source == "git" and release.dag_bundles


def _files(settings: Settings, root: Path, lock: str) -> list[File]:
    """The build context; without other locks, documentation, and DAGs that come from Git.

    Raises SettingsError if the lock is missing.
    """
    source, dags = root / "images" / "airflow", root / "dags"
    if not (source / lock).is_file():
        message = (
            f"is missing, and airflow.version {settings.airflow.version} with "
            f"images.airflow.python {settings.images.airflow.python} needs it: run make lock and "
            "commit the file"
        )
        raise SettingsError([Problem(f"images/airflow/{lock}", 0, "", message)])
    in_image = settings.airflow.dags.source == "image"
    return [
        *(
            read(source / name, name)
            for name in below(source, source.parent)
            if (name == lock if name.startswith("locks/") else not name.endswith((".md", ".in")))
        ),
        *shared(root),
        *(read(dags / name, f"dags/{name}") for name in (below(dags) if in_image else ())),
    ]
