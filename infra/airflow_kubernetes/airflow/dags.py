"""DAG code: in the images, or from Git repositories, fetched while Airflow runs (`airflow.dags`).

A task pod runs the image in which its DAG was read, until its run ends (images/airflow/config/
dag_image.py): a deployment changes nothing for runs that have begun.

From Git, Airflow 3 fetches it itself (the Git provider's GitDagBundle): the DAG processor follows
the ref, and a task gets the commit of its run. On Airflow 2, git-sync keeps a checkout of the ref
next to each component that reads DAG files.

Each source is a bundle of Airflow 3. Airflow 2 has one DAG folder: with several sources it is one
of links to theirs.
"""

import json
from collections.abc import Collection
from dataclasses import replace
from functools import reduce
from operator import add

from ..kubernetes.pod import NOTHING, Container, Fields, Parts, scratch
from ..settings.schema import Settings
from .git_sync import LINK, git_sync, links
from .releases import RELEASES
from .repositories import (
    BUNDLE,
    SECRET_FOLDER,
    Repository,
    connection,
    connection_id,
    login,
    repositories,
    secret_volume,
)

FOLDER = "/opt/dags"
"""The folder of DAG code in each pod that reads any."""

IN_IMAGE = "/usr/local/airflow/dags"
"""That of the image."""

LOCAL_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"
"""Airflow's own for that folder."""

LINKS = "/opt/dag-sources"
"""The DAG folder of Airflow 2 with several sources."""

SIZE = 2
"""GiB of a repository's clones."""


def airflow_fetches(settings: Settings) -> bool:
    """Whether Airflow itself fetches code; else all is in the image or comes from git-sync."""
    return RELEASES[settings.airflow.version].dag_bundles and bool(repositories(settings))


def with_own_processor(settings: Settings) -> list[str]:
    """The bundles that have a DAG processor of their own."""
    values = settings.airflow.dags.repositories.items()
    return [name for name, repository in values if repository.processor]


def shared(settings: Settings) -> list[str]:
    """The bundles of the common DAG processor: the first source and all that have no other."""
    values = settings.airflow.dags.repositories.items()
    return [BUNDLE, *(name for name, repository in values if not repository.processor)]


def variables(settings: Settings) -> dict[str, str]:
    """The configuration that says where DAG code is."""
    if RELEASES[settings.airflow.version].dag_bundles:
        return _bundle_variables(settings)
    return _folder_variables(settings)


def image_variables(settings: Settings, of_tasks: str) -> dict[str, str]:
    """The DAG processor's variable of the image `of_tasks`, which it records with what it reads.

    None if no pods run tasks.
    """
    if not _in_task_pods(settings):
        return {}
    return {
        "DAG_IMAGE" if RELEASES[settings.airflow.version].dag_bundles else "TASK_IMAGE": of_tasks
    }


def parts(
    settings: Settings, image: str, *, once: bool = False, bundles: Collection[str] | None = None
) -> Parts:
    """What a pod of this image needs to read DAG code; nothing for code in the image.

    `once`: the pod runs a single task, so its code does not follow the ref. `bundles`: those that
    it reads; by default all.
    """
    found = [each for each in repositories(settings) if bundles is None or each.name in bundles]
    if not found:
        return NOTHING
    if RELEASES[settings.airflow.version].dag_bundles:
        clones = scratch("dags", FOLDER, f"{SIZE * len(found)}Gi")
        return reduce(add, map(_credentials, found), clones)
    folders, image_of_sync = _folders(settings), settings.airflow.dags.git.image
    checkouts = (
        _checkout(each, image_of_sync, once=once, index=index) for index, each in enumerate(found)
    )
    return reduce(add, checkouts) + (_links(image, folders) if len(folders) > 1 else NOTHING)


def _bundle_variables(settings: Settings) -> dict[str, str]:
    """Those of Airflow 3; none where its own default fits, or the user has bundles of his own.

    In task pods the image is the version of its code. Elsewhere a run goes on with the newest, as
    on Airflow 2: nothing keeps the image of a worker.
    """
    found, in_task_pods = repositories(settings), _in_task_pods(settings)
    own = settings.airflow.configuration.get("dag_processor", {})
    if not found and (not in_task_pods or "dag_bundle_config_list" in own):
        return {}
    of_image = "image_bundle.ImageBundle" if in_task_pods else LOCAL_BUNDLE
    bundles = [_bundle(BUNDLE, of_image, {})] if settings.airflow.dags.source == "image" else []
    bundles += (_commit_bundle(each) for each in found)
    values = {"AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles)}
    if in_task_pods:
        values["TASK_IMAGES"] = f"{settings.images.registry}/"
    if found:
        values["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH"] = FOLDER
    return reduce(lambda more, each: more | connection(each), found, values)


def _folder_variables(settings: Settings) -> dict[str, str]:
    """Those of Airflow 2; none for code in the image alone."""
    found, folders = repositories(settings), _folders(settings)
    if not found:
        return {}
    values = {
        "AIRFLOW__CORE__DAGS_FOLDER": folders[BUNDLE],
        # Look for new files as often as they may come; the default is every 5 minutes.
        "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": str(
            min(each.values.interval for each in found)
        ),
    }
    if len(folders) > 1:
        values["AIRFLOW__CORE__DAGS_FOLDER"] = LINKS
        # Read by the image's airflow_local_settings.py.
        values["DAG_FOLDERS"] = ":".join(f"{LINKS}/{name}" for name in folders)
    return values


def _in_task_pods(settings: Settings) -> bool:
    """Whether code in an image runs in pods of their own."""
    executor = RELEASES[settings.airflow.version].executor(settings.airflow.executor)
    return settings.airflow.dags.source == "image" and executor.kubernetes


def _bundle(name: str, classpath: str, kwargs: Fields) -> Fields:
    return {"name": name, "classpath": classpath, "kwargs": kwargs}


def _commit_bundle(repository: Repository) -> Fields:
    kwargs = {
        "git_conn_id": connection_id(repository),
        "tracking_ref": repository.values.ref,
        "subdir": repository.values.folder,
        "refresh_interval": repository.values.interval,
    }
    return _bundle(repository.name, "commit_bundle.CommitBundle", kwargs)


def _credentials(repository: Repository) -> Parts:
    """What git needs of the Secret: variables for a password, files for a key."""
    if repository.takes_password:
        return Parts(env=login(repository))
    return secret_volume(repository, repository.called(SECRET_FOLDER))


def _folders(settings: Settings) -> dict[str, str]:
    """The folder of each source on Airflow 2, the first source's first."""
    synced = {
        each.name: f"{each.called(FOLDER)}/{LINK}/{each.values.folder}"
        for each in repositories(settings)
    }
    return {BUNDLE: IN_IMAGE} | synced


def _checkout(repository: Repository, image: str, *, once: bool, index: int) -> Parts:
    """A checkout that git-sync writes and Airflow only reads."""
    writable = scratch(repository.called("dags"), repository.called(FOLDER), f"{SIZE}Gi")
    sync = git_sync(repository, image, writable, once=once, index=index)
    secret = secret_volume(repository, SECRET_FOLDER)
    return _read_only(writable, sync) + Parts(volumes=secret.volumes)


def _links(image: str, folders: dict[str, str]) -> Parts:
    """The folder of links, each under the name of its source."""
    writable = scratch("dag-sources", LINKS, "1Mi")
    return _read_only(writable, links(image, writable, folders))


def _read_only(writable: Parts, by: Container) -> Parts:
    """A volume into which this init container alone may write."""
    mounts = tuple(mount | {"readOnly": True} for mount in writable.mounts)
    return replace(writable, mounts=mounts, init=(by,))
