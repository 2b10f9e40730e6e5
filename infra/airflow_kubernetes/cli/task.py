"""`make task`: run a task image's container as the cluster does, and show its XCom."""

import argparse
import json
import secrets
import shlex
import tempfile
from pathlib import Path

from ..airflow.pod import GID, UID
from ..console import say
from ..errors import CommandError
from ..images import tasks
from ..images.specs import ImageSpec
from ..local.engine import Engine, engine
from ..local.images import build
from ..settings.schema import Settings
from .target import Target
from .target import add_arguments as add_target

XCOM = "/airflow/xcom"
"""Where KubernetesPodOperator looks for return.json (`PodDefaults.XCOM_MOUNT_PATH`)."""

NOT_STARTED = (125, 126, 127)
"""Exit codes of `docker run` and `podman run` where the container's command did not begin."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment, the task image, and its arguments."""
    add_target(parser)
    parser.add_argument("name", metavar="NAME", help="of the task image: images/tasks/NAME")
    parser.add_argument(
        "--args", default="", metavar="'ARGUMENTS'", help="for the container, quoted as for a shell"
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the task."""
    target = Target.load(arguments.environment, arguments.set, read_only=True)
    task(target, arguments.name, arguments.args)


def task(here: Target, name: str, args: str = "") -> None:
    """Build the image `name` for this machine, run it with the arguments `args`, print its XCom.

    What the task says goes to standard error, so that standard output is its XCom alone. Raises
    SystemExit with the task's exit code if that is not 0, and CommandError, EngineError or
    BuildError if it could not be run.
    """
    arguments = _arguments(args)
    spec = _spec(here.settings, name)
    docker = engine()
    reference = build(here.settings, spec, docker)
    with tempfile.TemporaryDirectory(prefix="airflow-task-", ignore_cleanup_errors=True) as folder:
        xcom = Path(folder) / "xcom"
        xcom.mkdir()
        xcom.chmod(0o777)  # the task's user is another; the folder around it is private
        container = f"airflow-task-{name}-{secrets.token_hex(4)}"
        code = _run(docker, reference, container, xcom, arguments)
        if code in NOT_STARTED:
            raise CommandError(
                f"{docker.program} could not run {reference} (exit code {code}), see above"
            )
        if code:
            say(f"error: task {name} failed: exit code {code}; its last lines are above")
            raise SystemExit(code)
        _print_xcom(name, xcom / "return.json")


def _arguments(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise CommandError(f"ARGS: {error}; quote it as for a shell") from None


def _run(docker: Engine, reference: str, name: str, xcom: Path, arguments: list[str]) -> int:
    """The container's exit code. As a pod: the user, no privilege, and what may be written."""
    command = [
        "run", "--rm", "--name", name,
        "--user", f"{UID}:{GID}", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
        "--read-only", "--tmpfs", "/tmp:exec,mode=1777,size=1g",
        "--volume", f"{xcom}:{XCOM}:Z",
        reference, *arguments,
    ]  # fmt: skip
    try:
        return docker.show(*command)
    except KeyboardInterrupt:
        docker.run("rm", "--force", name)
        raise


def _print_xcom(name: str, file: Path) -> None:
    if not file.exists() or not file.stat().st_size:
        say(f"task {name} wrote no {XCOM}/return.json: it has no XCom")
        return
    text = file.read_text(encoding="utf-8")
    try:
        print(json.dumps(json.loads(text), indent=2, ensure_ascii=False))
    except ValueError as error:
        raise CommandError(
            f"task {name} wrote no JSON to {XCOM}/return.json ({error}), which the cluster takes "
            f"for a failure; it begins with: {text[:200]}"
        ) from None


def _spec(settings: Settings, name: str) -> ImageSpec:
    """The task image of that name. Raises CommandError, with the known names."""
    if name not in (known := tasks.names()):
        raise CommandError(
            f"NAME={name}: no such task image; images/tasks has: {', '.join(known) or 'none'}"
        )
    return tasks.spec(settings, name)
