"""The images that an environment runs: Airflow's, a slim one for task pods, both once more with the
DAGs, and the task images.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from ..images import bases, tasks
from ..images.specs import EPOCH, File, ImageSpec, below, read, shared
from ..paths import ROOT
from ..settings.problems import Problem, SettingsError
from ..settings.schema import Settings
from .configuration import HOME
from .dags import airflow_fetches
from .releases import RELEASES

AIRFLOW, WORKER = "airflow", "airflow-worker"
WITH_DAGS = MappingProxyType({AIRFLOW: "airflow-dags", WORKER: "airflow-worker-dags"})
"""The image with the layer of DAGs, by that without. A changed DAG changes the layer alone, so that
nothing is rolled that reads no DAG code."""


GIT = ("git", "openssh-client")
"""Debian packages with which Airflow's own DAG bundles fetch."""


def every(settings: Settings, root: Path = ROOT) -> list[ImageSpec]:
    """All images of the environment, Airflow's first, each after the one that it is a layer on.

    Raises SettingsError for what is wrong with the files of a task image, and for a missing lock of
    Python packages.
    """
    own = [airflow(settings, root)]
    if RELEASES[settings.airflow.version].slim_tasks:
        own.append(worker(settings, root))
    if settings.airflow.dags.source == "image":
        own += [with_dags(settings, spec, root) for spec in own]
    return [*own, *tasks.specs(settings, root)]


def airflow(settings: Settings, root: Path = ROOT) -> ImageSpec:
    """The image of all components: images/airflow with the release's own lock."""
    return _of_airflow(settings, root, AIRFLOW, "full")


def worker(settings: Settings, root: Path = ROOT) -> ImageSpec:
    """The same without what only the other components need."""
    return _of_airflow(settings, root, WORKER, "worker")


def with_dags(settings: Settings, spec: ImageSpec, root: Path = ROOT) -> ImageSpec:
    """One of these images and the layer of dags/."""
    return ImageSpec(
        WITH_DAGS[spec.name],
        (read(root / "images" / "dags" / "Dockerfile", "Dockerfile"), *dag_files(root / "dags")),
        (("SOURCE_DATE_EPOCH", EPOCH),),
        tuple(settings.images.platforms),
        dated=True,
        on=spec,
    )


def dag_files(folder: Path) -> list[File]:
    """The files of that layer."""
    return [read(folder / name, f"{HOME[1:]}/dags/{name}") for name in below(folder)]


def of_dag_code(settings: Settings) -> str:
    """The name of the image of components that read DAG code."""
    return _with_dag_code(settings, AIRFLOW)


def of_task_pods(settings: Settings) -> str:
    """The name of the image in which KubernetesExecutor runs a task that names none."""
    slim = settings.airflow.tasks.image == "slim"
    if slim and RELEASES[settings.airflow.version].slim_tasks:
        return _with_dag_code(settings, WORKER)
    return of_dag_code(settings)


def by_short_name(tags: Mapping[str, str]) -> dict[str, str]:
    """References by the names that DAGs use; an Airflow image's is that with the DAGs."""
    return {
        tasks.short(name): tags.get(WITH_DAGS.get(name, ""), tag)
        for name, tag in tags.items()
        if name not in WITH_DAGS.values()
    }


def _with_dag_code(settings: Settings, name: str) -> str:
    return WITH_DAGS[name] if settings.airflow.dags.source == "image" else name


def _of_airflow(settings: Settings, root: Path, name: str, flavor: str) -> ImageSpec:
    image, version = settings.images.airflow, settings.airflow.version
    packages = [*image.system_packages, *(GIT if airflow_fetches(settings) else ())]
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


def _files(settings: Settings, root: Path, lock: str) -> list[File]:
    """The build context, without other locks and documentation.

    Raises SettingsError if the lock is missing, or does not pin the release.
    """
    source, version = root / "images" / "airflow", settings.airflow.version
    exists = (source / lock).is_file()
    pin = rf"^apache-airflow(-core)?=={re.escape(version)}\s".encode()
    if not exists or not re.search(pin, (source / lock).read_bytes(), re.MULTILINE):
        message = (
            f"is {'damaged' if exists else 'missing'}, and airflow.version {version} with "
            f"images.airflow.python {settings.images.airflow.python} needs it: run make lock and "
            "commit the file"
        )
        raise SettingsError([Problem(f"images/airflow/{lock}", 0, "", message)])
    return [
        *(
            read(source / name, name)
            for name in below(source, source.parent)
            if (name == lock if name.startswith("locks/") else not name.endswith((".md", ".in")))
        ),
        *shared(root),
    ]
