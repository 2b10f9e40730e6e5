"""The Pulumi CLI: finding it, installing it where that may be done, calling it."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from ..environment import SET
from ..errors import CommandError
from ..images.specs import ROOT, cache


def _own() -> Path:
    return cache() / "pulumi"


def find() -> str | None:
    """The CLI on PATH, or the one that `install` made."""
    own = _own() / "bin"
    return shutil.which("pulumi") or shutil.which("pulumi", path=str(own))


def install() -> str | None:
    """The CLI, downloaded by the SDK's own installer if need be; None where that cannot be."""
    if found := find():
        return found
    # Imported here: it costs a tenth of a second that only this path needs.
    from pulumi.automation import PulumiCommand

    try:
        PulumiCommand.install(root=str(_own()))
    except Exception:  # whatever goes wrong on the way, the answer is the same: no CLI
        return None
    return find()


def run(stack: str, *args: str, overrides: str = "") -> None:
    """`pulumi ARGS --stack STACK` on the terminal. Raises CommandError if it fails."""
    cli = find()
    if cli is None:
        raise CommandError(
            "the environment's engine is pulumi and the CLI is not on PATH; install it "
            "(https://www.pulumi.com/docs/install/) or, for an environment that is not up yet, "
            f"set engine: kubectl in values/{stack}.yaml"
        )
    command = [cli, "--cwd", str(ROOT), *args, "--stack", stack]
    if subprocess.run(command, check=False, env={**os.environ, SET: overrides}).returncode:
        raise CommandError(f"pulumi {args[0]} failed; its output is above")


def output(stack: str, name: str) -> Any:
    """One output of a stack. Raises CommandError if there is none."""
    # An output that depends on a secret input, such as a login, is one itself.
    command = ["stack", "output", name, "--json", "--show-secrets", "--stack", stack]
    done = subprocess.run(
        [str(find()), "--cwd", str(ROOT), *command], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CommandError(f"pulumi stack output {name} failed: {done.stderr.strip()}")
    return json.loads(done.stdout)


def create_stack(stack: str) -> None:
    """Make the stack if the backend does not have it yet. Raises CommandError."""
    run(stack, "stack", "select", "--create")
