"""`make task`: run a task image as a pod would run it, and print its XCom."""

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
from ..local.engine import Engine, find_engine
from ..local.images import build
from ..settings.schema import Settings
from .target import Target

XCOM = "/airflow/xcom"
"""Folder in which KubernetesPodOperator reads return.json (`PodDefaults.XCOM_MOUNT_PATH`)."""

NOT_STARTED = (125, 126, 127)
"""Exit codes of `docker run` and `podman run` if the container's command did not start."""


def task(target: Target, image: str, args: str = "") -> None:
    """Build the task image for this machine, run it with the arguments `args`, print its XCom.

    The task's output goes to standard error, so standard output is only the XCom. Raises SystemExit
    with the task's exit code if it is not 0; CommandError, EngineError or BuildError if the image
    could not be run.
    """
    arguments = _arguments(args)
    spec = _spec(target.settings, image)
    engine = find_engine()
    reference = build(target.settings, spec, engine)
    with tempfile.TemporaryDirectory(prefix="airflow-task-", ignore_cleanup_errors=True) as folder:
        xcom = Path(folder) / "xcom"
        xcom.mkdir()
        xcom.chmod(0o777)  # for the task's user; the parent folder is private
        container = f"airflow-task-{image}-{secrets.token_hex(4)}"
        code = _run(engine, reference, container, xcom, arguments)
        if code in NOT_STARTED:
            raise CommandError(
                f"{engine.program} could not run {reference} (exit code {code}): see above"
            )
        if code:
            say(f"error: task {image} failed: exit code {code}; its output is above")
            raise SystemExit(code)
        _print_xcom(image, xcom / "return.json")


def _arguments(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise CommandError(f"ARGS: {error}; quote the arguments as in a shell") from None


def _run(engine: Engine, reference: str, name: str, xcom: Path, arguments: list[str]) -> int:
    """Run the container with a pod's user, rights and writable folders; returns its exit code."""
    command = [
        "run", "--rm", "--name", name,
        "--user", f"{UID}:{GID}", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
        "--read-only", "--tmpfs", "/tmp:exec,mode=1777,size=1g",
        "--volume", f"{xcom}:{XCOM}:Z",
        reference, *arguments,
    ]  # fmt: skip
    try:
        return engine.show(*command)
    except KeyboardInterrupt:
        engine.run("rm", "--force", name)
        raise


def _print_xcom(name: str, file: Path) -> None:
    if not file.exists() or not file.stat().st_size:
        say(f"task {name} wrote no {XCOM}/return.json, so it has no XCom")
        return
    text = file.read_text(encoding="utf-8")
    try:
        print(json.dumps(json.loads(text), indent=2, ensure_ascii=False))
    except ValueError as error:
        raise CommandError(
            f"task {name} wrote no JSON to {XCOM}/return.json ({error}), so it would fail in the "
            f"cluster; the file begins with: {text[:200]}"
        ) from None


def _spec(settings: Settings, name: str) -> ImageSpec:
    """The task image of the given name. Raises CommandError with the known names."""
    if name not in (known := tasks.names()):
        raise CommandError(
            f"NAME={name}: no such task image; images/tasks has: {', '.join(known) or 'none'}"
        )
    return tasks.spec(settings, name)
