"""Runs other programs; what goes wrong with them becomes a SandboxError."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import SandboxError
from .progress import Progress

_LINES_OF_TAIL = 15


def run(
    command: Sequence[str],
    what: str,
    progress: Progress,
    *,
    remedy: str = "",
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> None:
    """Runs a program that takes long, and says every few seconds how far it is.

    Raises:
        SandboxError: it is missing or failed; with the end of its output and the remedy.
    """
    lines: list[str] = []

    def describe(seconds: float) -> str:
        last = f", {len(lines)} lines, now {lines[-1]}" if lines else ""
        return f"{what}: {seconds:.0f} s{last}"

    try:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as error:
        raise _missing(command[0], remedy) from error
    with progress.signs_of_life(describe), process:
        try:
            lines.extend(line.rstrip() for line in process.stdout or ())
            code = process.wait()
        finally:
            process.kill()
    if code:
        tail = "\n  ".join(lines[-_LINES_OF_TAIL:])
        raise SandboxError(f"{what} failed (exit code {code}):\n  {tail}{_remedy(remedy)}")


def capture(
    command: Sequence[str],
    remedy: str,
    *,
    text: str | None = None,
    directory: Path | None = None,
    umask: int = -1,
) -> str:
    """Standard output of a quick program that reads `text`.

    Raises:
        SandboxError: it is missing or failed; with what it says and the remedy.
    """
    try:
        result = subprocess.run(
            command,
            check=False,
            capture_output=True,
            cwd=directory,
            input=text,
            text=True,
            umask=umask,
        )
    except FileNotFoundError as error:
        raise _missing(command[0], remedy) from error
    if result.returncode:
        reason = result.stderr.strip() or f"exit code {result.returncode}"
        raise SandboxError(f"`{' '.join(command)}` failed: {reason}{_remedy(remedy)}")
    return result.stdout


def _missing(program: str, remedy: str) -> SandboxError:
    return SandboxError(f"there is no `{program}` on the PATH{_remedy(remedy)}")


def _remedy(text: str) -> str:
    return f"\nRemedy: {text}" if text else ""
