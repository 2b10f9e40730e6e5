"""git-sync: checkouts of DAG code in pods of Airflow 2, which does not fetch code itself.

Source: https://github.com/kubernetes/git-sync
"""

import shlex
from collections.abc import Mapping

from ..kubernetes.env import secret_env
from ..kubernetes.pod import Container, Parts
from ..kubernetes.probes import Probes, http, probe
from ..settings.schema import Quantities, Resources
from .repositories import SECRET_FOLDER, Repository, secret_volume

LINK = "current"
"""The link to the newest checkout, in the root folder."""

UID, PORT = 65533, 1234
"""The user in git-sync's image (ssh requires one), and the first port of health addresses."""

RESOURCES = Resources(
    requests=Quantities(cpu="10m", memory="64Mi"), limits=Quantities(cpu="1", memory="512Mi")
)


def git_sync(
    repository: Repository, image: str, folder: Parts, *, once: bool, index: int = 0
) -> Container:
    """An init container that checks the ref out in a folder, in which it may write.

    With `once` it ends after that; otherwise it is a side-car that follows the ref. Either way,
    containers that start after it have the code. If the first fetch fails, so does the container;
    later failures are only logged, and Airflow continues with the code that it has.

    `index` is the number of such containers before it in the pod, whose ports are taken.
    """
    git, port = repository.values, PORT + index
    args = [
        f"--repo={git.repository}",
        f"--ref={git.ref}",
        f"--root={folder.mounts[0]['mountPath']}",
        f"--link={LINK}",
        "--submodules=off",  # as on Airflow 3
    ]
    env = []
    if git.secret is not None and repository.takes_password:
        env = [secret_env("GITSYNC_USERNAME", git.secret, "username")]
        args.append(f"--password-file={SECRET_FOLDER}/password")
    if once:
        # Five tries, half a minute: starting a task is worth more than one try.
        args += ["--one-time", "--period=5s", "--max-failures=5"]
    else:
        args += [f"--period={git.interval}s", "--init-max-failures=0", "--max-failures=-1"]
        args.append(f"--http-bind=:{port}")
    health = http("/", port)
    probes = Probes(
        startup=probe(health, period=1, failures=180),
        liveness=probe(health, period=30, failures=5),
        readiness=probe(health, period=10, failures=3),
    )
    # Its own: below HOME, which is /tmp, git keeps logins by server (credential.helper cache).
    tmp = {"name": "tmp", "mountPath": "/tmp"}
    if index:
        tmp["subPath"] = repository.called("git-sync")
    return Container(
        name=repository.called("git-sync"),
        image=image,
        resources=RESOURCES,
        args=args,
        env=env,
        mounts=(*folder.mounts, *secret_volume(repository, SECRET_FOLDER).mounts, tmp),
        ports={} if once else {f"git-sync-{index}" if index else "git-sync": port},
        probes=None if once else probes,
        user=UID,
        restart_policy=None if once else "Always",
    )


def links(image: str, folder: Parts, targets: Mapping[str, str]) -> Container:
    """An init container of Airflow's image that makes links in a folder, by name, to targets."""
    place = folder.mounts[0]["mountPath"]
    commands = (
        shlex.join(["ln", "-sfn", target, f"{place}/{name}"]) for name, target in targets.items()
    )
    return Container(
        name="link-dags",
        image=image,
        resources=RESOURCES,
        args=("sh", "-c", " && ".join(commands)),
        mounts=folder.mounts,
    )
