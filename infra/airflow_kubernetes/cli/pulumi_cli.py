"""The Pulumi CLI: find it, call it."""

import json
import os
import shutil
import subprocess
from importlib.metadata import version
from typing import Any

from ..environment import SET
from ..errors import CommandError
from ..paths import ROOT

REMEDIES = {
    "no stack named": "the backend has no stack {environment}: choose the backend that has it "
    "(pulumi login, or PULUMI_BACKEND_URL), or make up ENV={environment} for the first time",
    "incorrect passphrase": "the passphrase is wrong: set PULUMI_CONFIG_PASSPHRASE to that of the "
    "stack {environment}",
    "passphrase must be set": "set PULUMI_CONFIG_PASSPHRASE (or PULUMI_CONFIG_PASSPHRASE_FILE) to "
    "the passphrase of the stack {environment}",
    "PULUMI_ACCESS_TOKEN must be set": "log in to the backend first (pulumi login)",
}
"""What to do, by words in the CLI's error."""


def find() -> str | None:
    """The CLI on PATH. It is never downloaded: a command that deploys runs next to cloud logins."""
    return shutil.which("pulumi")


def require() -> str:
    """The CLI on PATH. Raises CommandError, which says how to install it."""
    cli = find()
    if cli is None:
        raise CommandError(
            "the engine is Pulumi, and its CLI is not on PATH: install version "
            f"{version('pulumi')} (https://www.pulumi.com/docs/install/); or, for an environment "
            "that is not deployed yet, set engine: kubectl in its values file"
        )
    return cli


def run(stack: str, *args: str, overrides: str = "") -> None:
    """`pulumi ARGS --stack STACK` on the terminal. Raises CommandError if it fails."""
    command = [require(), "--cwd", str(ROOT), *args, "--stack", stack]
    if subprocess.run(command, check=False, env={**os.environ, SET: overrides}).returncode:
        raise CommandError(f"pulumi {args[0]} failed; its output is above")


def call(*args: str, overrides: str = "") -> subprocess.CompletedProcess[str]:
    """`pulumi ARGS` with its output captured; it asks nothing. Raises CommandError without CLI."""
    return subprocess.run(
        [require(), "--cwd", str(ROOT), *args],
        env={**os.environ, SET: overrides},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def parse(text: str) -> Any:
    """JSON that the CLI printed; None if it printed none."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def read(environment: str, *args: str, overrides: str = "") -> Any:
    """The JSON that `pulumi ARGS` prints. Raises CommandError for the user of `environment`."""
    done = call(*args, "--json", overrides=overrides)
    found = parse(done.stdout)
    if done.returncode or found is None:
        command = " ".join(arg for arg in args if not arg.startswith("--"))
        raise CommandError(explain(command, environment, done.stderr))
    return found


def stacks(environment: str) -> dict[str, dict[str, Any]]:
    """The backend's stacks of this project by name, as `pulumi stack ls --json` describes them.

    Raises CommandError, for the user of `environment`, if the backend does not answer.
    """
    return {stack["name"]: stack for stack in read(environment, "stack", "ls")}


def explain(command: str, environment: str, stderr: str) -> str:
    """The CLI's reason for a failure, and the remedy if there is a known one."""
    reason = " ".join(stderr.split()).removeprefix("error: ")
    for words, remedy in REMEDIES.items():
        if words in reason:
            return f"{remedy.format(environment=environment)} (pulumi: {reason})"
    return f"pulumi {command} for {environment} failed: {reason or 'without a message'}"
