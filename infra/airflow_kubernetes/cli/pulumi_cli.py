"""The Pulumi CLI: find it, call it."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..console import pasteable
from ..environment import SET
from ..errors import CommandError, UserError
from ..paths import ROOT
from ..render import PROJECT

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

WATCH_SECONDS = 2.0


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


def run(
    stack: str, *args: str, overrides: str = "", watch: Callable[[], None] = lambda: None
) -> None:
    """`pulumi ARGS --stack STACK` on the terminal; after Ctrl-C or SIGTERM it ends by itself.

    `watch` is called every WATCH_SECONDS; if it raises a UserError, the CLI is interrupted. Raises
    that, CommandError if the CLI fails, or KeyboardInterrupt with how to continue.
    """
    command = [require(), "--cwd", str(ROOT), *args, "--stack", stack]
    with _signals() as signals:
        code, failure = _to_its_end(command, {**os.environ, SET: overrides}, watch, signals)
        if not (code or failure or signals):
            return
        left = code < 0 or locked(stack)
    again = "run the command again to continue"
    if left:
        unlock = pasteable(f"pulumi cancel --yes --stack {stack}")
        again = f"if no other update runs, a lock is left: {unlock}, then {again}"
    if signals:
        raise KeyboardInterrupt(f"pulumi {args[0]} has ended; {again}")
    if failure is not None:
        raise failure
    if code < 0:
        cause = signal.Signals(-code).name
        raise CommandError(f"pulumi {args[0]} was killed ({cause}); {again}")
    raise CommandError(
        f"pulumi {args[0]} failed; its output is above{f'; {again}' if left else ''}"
    )


@contextmanager
def _signals() -> Iterator[list[int]]:
    """The signals of Ctrl-C and of CI's cancellation that come meanwhile; they raise nothing."""
    received: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: received.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _to_its_end(
    command: Sequence[str],
    environment: dict[str, str],
    watch: Callable[[], None],
    signals: Sequence[int],
) -> tuple[int, UserError | None]:
    """The exit code of a command, negative after a signal; and what `watch` raised.

    Killed in the middle, Pulumi leaves its lock and does not record what it has just created, so it
    is waited for. A second Ctrl-C is the CLI's affair.
    """
    failure, seen, looked = None, 0, time.monotonic()
    # The witness is of the same process group, and ends with its standard input at the latest.
    with (
        subprocess.Popen(command, env=environment) as cli,
        subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as witness,
    ):
        while True:
            with suppress(subprocess.TimeoutExpired):
                return cli.wait(timeout=0.2), failure
            if len(signals) > seen:
                seen = len(signals)
                # Ctrl-C is a signal to the whole group, `kill` to this process alone.
                with suppress(subprocess.TimeoutExpired):
                    witness.wait(timeout=0.5)
                if witness.poll() is None:
                    cli.send_signal(signal.SIGINT)
            elif not seen and failure is None and time.monotonic() - looked > WATCH_SECONDS:
                try:
                    watch()
                except UserError as error:
                    failure = error
                    cli.send_signal(signal.SIGINT)
                looked = time.monotonic()


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


def locked(environment: str) -> bool:
    """Whether an update is in progress, or left its lock, as far as that can be known.

    Pulumi's service reports it; the lock of a folder is a file in it; those of a bucket are unseen.
    """
    backend = parse(call("whoami", "--json").stdout)
    url = str(backend["url"]) if isinstance(backend, dict) and backend.get("url") else ""
    if url.startswith("file://"):
        folder = Path(urlsplit(url).path, ".pulumi", "locks", "organization", PROJECT, environment)
        return any(folder.glob("*.json"))
    found = call("stack", "ls", "--json")
    listed = parse(found.stdout) or []
    return any(one["name"] == environment and one.get("updateInProgress") for one in listed)


def explain(command: str, environment: str, stderr: str) -> str:
    """The CLI's reason for a failure, and the remedy if there is a known one."""
    reason = " ".join(stderr.split()).removeprefix("error: ")
    for words, remedy in REMEDIES.items():
        if words in reason:
            return f"{remedy.format(environment=environment)} (pulumi: {reason})"
    return f"pulumi {command} for {environment} failed: {reason or 'without a message'}"
