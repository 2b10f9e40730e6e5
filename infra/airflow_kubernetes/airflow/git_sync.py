"""git-sync: the checkout of DAG code in pods of Airflow 2, which does not fetch code itself.

Source: https://github.com/kubernetes/git-sync
"""

from collections.abc import Sequence

from ..kubernetes.env import secret_env
from ..kubernetes.pod import Container, Fields
from ..kubernetes.probes import Probes, http, probe
from ..settings.schema import GitDags, Quantities, Resources

LINK = "current"
"""The link to the newest checkout, in the root folder."""

SECRET_FOLDER = "/etc/git-secret"
"""Where git-sync looks for `ssh` and `known_hosts`."""

UID, PORT = 65533, 1234
"""The user in git-sync's image (ssh requires one), and the port of its health address."""

RESOURCES = Resources(
    requests=Quantities(cpu="10m", memory="64Mi"), limits=Quantities(cpu="1", memory="512Mi")
)


def git_sync(
    git: GitDags, root: str, mounts: Sequence[Fields], *, password: bool, once: bool
) -> Container:
    """An init container that checks the ref out below `root`, to which it has one of `mounts`.

    With `once` it ends after that; otherwise it is a side-car that follows the ref. Either way,
    what starts after it finds the code. If the first fetch fails, so does the container; later
    failures are only logged, and Airflow continues with the code that it has.
    """
    args = [
        f"--repo={git.repository}",
        f"--ref={git.ref}",
        f"--root={root}",
        f"--link={LINK}",
        "--submodules=off",  # as on Airflow 3
    ]
    env = []
    if git.secret is not None and password:
        env = [secret_env("GITSYNC_USERNAME", git.secret, "username")]
        args.append(f"--password-file={SECRET_FOLDER}/password")
    if once:
        # Five tries, half a minute: starting a task is worth more than one try.
        args += ["--one-time", "--period=5s", "--max-failures=5"]
    else:
        args += [f"--period={git.interval}s", "--init-max-failures=0", "--max-failures=-1"]
        args.append(f"--http-bind=:{PORT}")
    health = http("/", PORT)
    probes = Probes(
        startup=probe(health, period=1, failures=180),
        liveness=probe(health, period=30, failures=5),
        readiness=probe(health, period=10, failures=3),
    )
    return Container(
        name="git-sync",
        image=git.image,
        resources=RESOURCES,
        args=args,
        env=env,
        mounts=(*mounts, {"name": "tmp", "mountPath": "/tmp"}),
        ports={} if once else {"git-sync": PORT},
        probes=None if once else probes,
        user=UID,
        restart_policy=None if once else "Always",
    )
