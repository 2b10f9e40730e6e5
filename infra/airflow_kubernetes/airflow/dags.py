"""DAG code from a Git repository, fetched by a running Airflow (`airflow.dags.source: git`).

Airflow 3 fetches it itself (the Git provider's GitDagBundle): the DAG processor follows the ref,
and whatever runs a task takes the commit of that task's run. Beside each component of Airflow 2
that reads DAG files, git-sync (https://github.com/kubernetes/git-sync) keeps a checkout of the ref.
"""

import json
from typing import Any

from ..kubernetes.pods import container_security, http, probe, resources, scratch, secret_env
from ..settings.schema import GitDags, Quantities, Resources, Settings
from .rbac import TASK
from .releases import RELEASES

FOLDER = "/opt/dags"
"""A volume of each pod that reads DAG code."""

BUNDLE = "dags-folder"
"""Airflow's own name for the folder in the image: runs that began before a change of the source
find their DAG under it afterwards."""

CONNECTION = "AIRFLOW_CONN_GIT_DAGS"
"""Airflow reads its connection git_dags from this variable, before it asks anybody else."""

SECRET_FOLDER = "/etc/git-secret"
"""Where git-sync looks for `ssh` and `known_hosts`."""

LINK = "current"
GIT_SYNC_UID, GIT_SYNC_PORT = 65533, 1234
"""The user that git-sync's image has (ssh wants one), and the port on which it is asked for its
health."""

GIT_SYNC = Resources(
    requests=Quantities(cpu="10m", memory="64Mi"), limits=Quantities(cpu="1", memory="512Mi")
)


def over_http(repository: str) -> bool:
    """Whether a repository is reached by http or https, with a password, and not by ssh."""
    return repository.startswith(("http://", "https://"))


def variables(settings: Settings) -> dict[str, str]:
    """What tells Airflow where its DAG code is; nothing for code in the image."""
    dags = settings.airflow.dags
    git = dags.git
    if dags.source == "image":
        return {}
    if not RELEASES[settings.airflow.version].dag_bundles:
        return {
            "AIRFLOW__CORE__DAGS_FOLDER": f"{FOLDER}/{LINK}/{git.folder}",
            # New files are looked for as often as they may come; the default is 5 minutes.
            "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": str(git.interval),
        }
    bundle = {
        "name": BUNDLE,
        "classpath": "airflow.providers.git.bundles.git.GitDagBundle",
        "kwargs": {
            "git_conn_id": "git_dags",
            "tracking_ref": git.ref,
            "subdir": git.folder,
            "refresh_interval": git.interval,
        },
    }
    return {
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": FOLDER,
        # Every component looks at its bundles; the password is only with those that fetch.
        CONNECTION: _connection(git),
    }


def extend(settings: Settings, component: str, pod: dict[str, Any]) -> dict[str, Any]:
    """A pod spec with DAG code in its first container, if it is of a component that reads any."""
    if settings.airflow.dags.source == "image" or component not in _readers(settings):
        return pod
    git = settings.airflow.dags.git
    release = RELEASES[settings.airflow.version]
    container, *others = pod["containers"]
    dags, mount = scratch("dags", FOLDER, "2Gi")
    volumes = [*pod["volumes"], dags]
    secret_mounts: list[dict[str, Any]] = []
    if git.secret is not None and not (release.dag_bundles and _takes_password(git)):
        # Readable for the group too, by fsGroup: ssh minds that only of its own user's files.
        secret = {"secretName": git.secret, "defaultMode": 0o400}
        volumes.append({"name": "git-secret", "secret": secret})
        secret_mounts = [{"name": "git-secret", "mountPath": SECRET_FOLDER, "readOnly": True}]
    if release.dag_bundles:
        container = {
            **container,
            "env": [*container["env"], *_login(git)],
            "volumeMounts": [*container["volumeMounts"], mount, *secret_mounts],
        }
        init = [_fetch(container)] if component == release.dag_processor.name else []
    else:
        mounts = [*container["volumeMounts"], {**mount, "readOnly": True}]
        container = {**container, "volumeMounts": mounts}
        init = [_git_sync(git, [mount, *secret_mounts], once=component == TASK)]
    extended = {**pod, "containers": [container, *others], "volumes": volumes}
    if init or "initContainers" in pod:
        extended["initContainers"] = [*init, *pod.get("initContainers", [])]
    return extended


def _readers(settings: Settings) -> set[str]:
    """The components that read DAG files: to parse them, to run tasks, on 2.x to find triggers."""
    release = RELEASES[settings.airflow.version]
    readers = {release.dag_processor.name, release.worker.name, TASK}
    if release.executor(settings.airflow.executor).local:
        readers.add(release.scheduler.name)
    if not release.dag_bundles:
        readers.add(release.triggerer.name)
    return readers


def _takes_password(git: GitDags) -> bool:
    return git.repository is not None and over_http(git.repository)


def _connection(git: GitDags, login: dict[str, str] | None = None) -> str:
    """Airflow's connection to the repository, as JSON."""
    connection: dict[str, Any] = {"conn_type": "git", "host": git.repository, **(login or {})}
    if not _takes_password(git):
        connection["extra"] = {
            "key_file": f"{SECRET_FOLDER}/ssh",
            "known_hosts_file": f"{SECRET_FOLDER}/known_hosts",
            "strict_host_key_checking": "yes",
        }
    return json.dumps(connection)


def _login(git: GitDags) -> list[dict[str, Any]]:
    """The environment that ends in the connection with its password, where one is needed.

    The kubelet pastes both into JSON as they are: no quotation mark, backslash or line break.
    """
    if git.secret is None or not _takes_password(git):
        return []
    login = {"login": "$(GIT_USERNAME)", "password": "$(GIT_PASSWORD)"}
    return [
        secret_env("GIT_USERNAME", git.secret, "username"),
        secret_env("GIT_PASSWORD", git.secret, "password"),
        {"name": CONNECTION, "value": _connection(git, login)},
    ]


def _fetch(container: dict[str, Any]) -> dict[str, Any]:
    """An init container of the DAG processor, which itself would only log that it cannot fetch."""
    kept = ("image", "envFrom", "env", "resources", "securityContext", "volumeMounts")
    return {
        "name": "fetch-dags",
        "args": ["python", "/opt/checks/fetch_dags.py"],
        **{key: container[key] for key in kept},
    }


def _git_sync(git: GitDags, mounts: list[dict[str, Any]], *, once: bool) -> dict[str, Any]:
    """git-sync as an init container: for a task's pod it fetches once, for others it goes on.

    What starts after it finds the code. A first fetch that fails is a container that does; later
    ones are only logged, and Airflow goes on with the code that it has.
    """
    args = [
        f"--repo={git.repository}",
        f"--ref={git.ref}",
        f"--root={FOLDER}",
        f"--link={LINK}",
        "--submodules=off",  # as on Airflow 3
    ]
    env: list[dict[str, Any]] = []
    if git.secret is not None and _takes_password(git):
        env = [secret_env("GITSYNC_USERNAME", git.secret, "username")]
        args.append(f"--password-file={SECRET_FOLDER}/password")
    container = {
        "name": "git-sync",
        "image": git.image,
        "env": env,
        "resources": resources(GIT_SYNC),
        "securityContext": container_security() | {"runAsUser": GIT_SYNC_UID},
        "volumeMounts": [*mounts, {"name": "tmp", "mountPath": "/tmp"}],
    }
    if once:
        # Half a minute of patience: a task is worth more than one look.
        return container | {"args": [*args, "--one-time", "--period=5s", "--max-failures=5"]}
    more = [f"--period={git.interval}s", "--init-max-failures=0", "--max-failures=-1"]
    health = http("/", GIT_SYNC_PORT)
    return container | {
        "args": [*args, *more, f"--http-bind=:{GIT_SYNC_PORT}"],
        "restartPolicy": "Always",
        "ports": [{"name": "git-sync", "containerPort": GIT_SYNC_PORT}],
        "startupProbe": probe(health, period=1, failures=180),
        "livenessProbe": probe(health, period=30, failures=5),
        "readinessProbe": probe(health, period=10, failures=3),
    }
