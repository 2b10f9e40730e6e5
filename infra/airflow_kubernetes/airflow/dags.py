"""DAG code: in the images, or from a Git repository, fetched while Airflow runs
(`airflow.dags.source`).

A task pod runs the image in which its DAG was read, until its run ends (images/airflow/config/
dag_image.py): a deployment changes nothing for runs that have begun.

From Git, Airflow 3 fetches it itself (the Git provider's GitDagBundle): the DAG processor follows
the ref, and a task gets the commit of its run. On Airflow 2, git-sync keeps a checkout of the ref
next to each component that reads DAG files.
"""

import json
from typing import Any
from urllib.parse import urlsplit

from ..kubernetes.env import EnvVar, plain_env, secret_env
from ..kubernetes.pod import NOTHING, Fields, Parts, scratch, volume
from ..settings.schema import GitDags, Settings
from .git_sync import LINK, SECRET_FOLDER, git_sync
from .releases import RELEASES

FOLDER = "/opt/dags"
"""The folder of DAG code in each pod that reads any."""

SIZE = "2Gi"
BUNDLE = "dags-folder"
"""Airflow's own name for the folder in the image: runs that began before a change of the source
find their DAG under it afterwards."""

CONNECTION = "AIRFLOW_CONN_GIT_DAGS"
"""The connection git_dags. Airflow looks for connections in variables first."""

ASKPASS = "/opt/checks/git_login.sh"
"""The image's program that answers git's questions for a login."""


def over_http(repository: str) -> bool:
    """Whether a repository is reached by http or https, with a password, and not by ssh."""
    return repository.startswith(("http://", "https://"))


def airflow_fetches(settings: Settings) -> bool:
    """Whether Airflow itself fetches the code; else it is in the image or comes from git-sync."""
    bundles = RELEASES[settings.airflow.version].dag_bundles
    return settings.airflow.dags.source == "git" and bundles


def variables(settings: Settings) -> dict[str, str]:
    """The configuration that says where DAG code is."""
    git = settings.airflow.dags.git
    if settings.airflow.dags.source == "image":
        return _image_bundle(settings)
    if not airflow_fetches(settings):
        return {
            "AIRFLOW__CORE__DAGS_FOLDER": f"{FOLDER}/{LINK}/{git.folder}",
            # Look for new files as often as they may come; the default is every 5 minutes.
            "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": str(git.interval),
        }
    kwargs = {
        "git_conn_id": "git_dags",
        "tracking_ref": git.ref,
        "subdir": git.folder,
        "refresh_interval": git.interval,
    }
    return {
        **_bundle("commit_bundle.CommitBundle", kwargs),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": FOLDER,
        CONNECTION: _connection(git),
    }


def image_variables(settings: Settings, of_tasks: str) -> dict[str, str]:
    """The DAG processor's variable of the image `of_tasks`, which it records with what it reads.

    None if no pods run tasks.
    """
    if not _in_task_pods(settings):
        return {}
    return {
        "DAG_IMAGE" if RELEASES[settings.airflow.version].dag_bundles else "TASK_IMAGE": of_tasks
    }


def _image_bundle(settings: Settings) -> dict[str, str]:
    """Airflow 3's configuration of code in images; without task pods, Airflow's own default fits.

    Elsewhere a run goes on with the newest code, as on Airflow 2: nothing keeps the image of a
    worker. Nor does it for bundles of the user's own.
    """
    if not (_in_task_pods(settings) and RELEASES[settings.airflow.version].dag_bundles):
        return {}
    own = settings.airflow.configuration.get("dag_processor", {})
    if "dag_bundle_config_list" in own:
        return {}
    return {
        **_bundle("image_bundle.ImageBundle", {}),
        "TASK_IMAGES": f"{settings.images.registry}/",
    }


def _in_task_pods(settings: Settings) -> bool:
    """Whether code in an image runs in pods of their own."""
    executor = RELEASES[settings.airflow.version].executor(settings.airflow.executor)
    return settings.airflow.dags.source == "image" and executor.kubernetes


def _bundle(classpath: str, kwargs: dict[str, Any]) -> dict[str, str]:
    bundle = {"name": BUNDLE, "classpath": classpath, "kwargs": kwargs}
    return {"AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle])}


def parts(settings: Settings, *, once: bool = False) -> Parts:
    """What a pod needs to read DAG code; nothing for code in the image.

    `once`: the pod runs a single task, so its code does not follow the ref.
    """
    git = settings.airflow.dags.git
    if settings.airflow.dags.source == "image":
        return NOTHING
    if airflow_fetches(settings):
        secret = NOTHING if _takes_password(git) else _secret(git)
        return Parts(env=_login(git)) + scratch("dags", FOLDER, SIZE) + secret
    return _synced(git, once=once)


def _synced(git: GitDags, *, once: bool) -> Parts:
    """A checkout that git-sync writes and Airflow only reads."""
    writable, secret = scratch("dags", FOLDER, SIZE), _secret(git)
    mounts = (*writable.mounts, *secret.mounts)
    sync = git_sync(git, FOLDER, mounts, password=_takes_password(git), once=once)
    code: Fields = {"emptyDir": {"sizeLimit": SIZE}}
    return volume("dags", FOLDER, code, readOnly=True) + Parts(volumes=secret.volumes, init=(sync,))


def _secret(git: GitDags) -> Parts:
    if git.secret is None:
        return NOTHING
    # fsGroup makes the files readable for the group too. ssh minds that only for files of its own
    # user.
    source = {"secret": {"secretName": git.secret, "defaultMode": 0o400}}
    return volume("git-secret", SECRET_FOLDER, source, readOnly=True)


def _takes_password(git: GitDags) -> bool:
    return git.repository is not None and over_http(git.repository)


def _connection(git: GitDags) -> str:
    """Airflow's connection to the repository, as JSON.

    All components look up their bundles, so it has no password. With one, the Git provider would
    write it into the address, and git's arguments can be read by every process of the node.
    """
    connection: dict[str, Any] = {"conn_type": "git", "host": git.repository}
    if not _takes_password(git):
        connection["extra"] = {
            "key_file": f"{SECRET_FOLDER}/ssh",
            "known_hosts_file": f"{SECRET_FOLDER}/known_hosts",
            "strict_host_key_checking": "yes",
        }
    return json.dumps(connection)


def _login(git: GitDags) -> tuple[EnvVar, ...]:
    """User, password and the program of the image that gives them to git, where it needs them."""
    if git.secret is None or git.repository is None or not over_http(git.repository):
        return ()
    server = urlsplit(git.repository)
    return (
        secret_env("GIT_USERNAME", git.secret, "username"),
        secret_env("GIT_PASSWORD", git.secret, "password"),
        *plain_env({"GIT_ASKPASS": ASKPASS, "GIT_SERVER": f"{server.scheme}://{server.netloc}"}),
    )
