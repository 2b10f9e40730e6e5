"""Starts, finds and stops the sandbox's own processes, and never anybody else's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import paths
from .errors import SandboxError
from .progress import Progress

_RECORDS = paths.RUN / "processes"
_LARGEST_LOG = 50 * 1024 * 1024
_SECONDS_BETWEEN_SIGNS_OF_LIFE = 5.0
_SECONDS_TO_DIE = 10


@dataclass(frozen=True)
class Process:
    """A program to run: its name, its command line, and a check that raises while it is unwell."""

    name: str
    command: tuple[str, ...]
    check: Callable[[], object]


@dataclass(frozen=True)
class Running:
    """A started process: its number and when it started, in clock ticks after the boot."""

    pid: int
    started: int

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        since_boot = float(Path("/proc/uptime").read_text().split()[0])
        return since_boot - self.started / os.sysconf("SC_CLK_TCK")


def log_file(name: str) -> Path:
    """Where a process writes."""
    return paths.LOGS / f"{name}.log"


def find(name: str) -> Running | None:
    """The live process that was started under this name, or None.

    A process number is used again by others after its end, and after a restart of the machine:
    only the pair of number and start time, within one boot, identifies a process.
    """
    try:
        record = json.loads((_RECORDS / name).read_text())
    except (FileNotFoundError, ValueError):
        return None
    started = _start_time(record["pid"])
    alive = record["boot"] == boot() and started is not None and started == record["started"]
    return Running(record["pid"], record["started"]) if alive else None


def is_current(process: Process, configuration: str) -> bool:
    """Whether it runs with the command line and the configuration of now (see start)."""
    if find(process.name) is None:
        return False
    record = json.loads((_RECORDS / process.name).read_text())
    return bool(
        record["command"] == list(process.command) and record["configuration"] == configuration
    )


def recorded() -> list[str]:
    """Names of all processes that were started and not stopped, alive or not."""
    return sorted(path.name for path in _RECORDS.iterdir()) if os.access(_RECORDS, os.R_OK) else []


def start(process: Process, environment: dict[str, str], configuration: str) -> None:
    """Starts it detached from this terminal, with its output appended to its log.

    `configuration` is a digest of the files that it may read, recorded for is_current.

    Raises:
        SandboxError: it died at once.
    """
    log = log_file(process.name)
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        child = subprocess.Popen(
            process.command,
            cwd=paths.RUN,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    started = _start_time(child.pid)
    if started is None:
        raise SandboxError(f"{process.name} died at once.\n{_tail(process.name)}")
    record = {
        "pid": child.pid,
        "started": started,
        "boot": boot(),
        "command": list(process.command),
        "configuration": configuration,
    }
    _RECORDS.mkdir(parents=True, exist_ok=True)
    unfinished = _RECORDS.parent / f".{process.name}"
    unfinished.write_text(json.dumps(record))
    unfinished.rename(_RECORDS / process.name)


def healthy(process: Process) -> bool:
    """Whether it runs and its check passes."""
    return not fault(process)


def fault(process: Process) -> str:
    """Why it is not well; empty if it is."""
    if find(process.name) is None:
        return "dead"
    try:
        process.check()
    except (OSError, SandboxError) as error:
        return f"not well ({error})"
    return ""


def wait(
    what: str,
    condition: Callable[[], bool],
    watched: Iterable[str],
    progress: Progress,
    seconds: float = 120.0,
) -> None:
    """Waits for the condition while all watched processes live.

    Raises:
        SandboxError: one of them died, or the time is over; with the end of the logs.
    """
    names = list(watched)
    started = progress.elapsed
    spoken = started
    while not condition():
        for name in names:
            if find(name) is None:
                raise SandboxError(f"{name} died while starting.\n{_tail(name)}")
        now = progress.elapsed
        if now - started > seconds:
            raise SandboxError(
                f"{what} not reached after {seconds:.0f} s.\n" + "\n".join(map(_tail, names))
            )
        if now - spoken > _SECONDS_BETWEEN_SIGNS_OF_LIFE:
            progress(f"waiting for {what}: {now - started:.0f} s")
            spoken = now
        time.sleep(0.1)


def stop(names: Sequence[str], seconds: float) -> None:
    """Ends the named processes that live, kindly at first, and forgets them.

    Raises:
        SandboxError: some live on; those are not forgotten.
    """
    ends = [(running.pid, running.started) for name in names if (running := find(name))]
    survivors = end(ends, seconds)
    for name in names:
        if find(name) is None:
            (_RECORDS / name).unlink(missing_ok=True)
    require_none(survivors)


def end(victims: Iterable[tuple[int, int]], seconds: float) -> list[tuple[int, int]]:
    """Ends processes, given as pairs of number and start time: SIGTERM, after the time SIGKILL.

    Returns those that live on, which only processes do that wait in the kernel.
    """
    left = _signal(victims, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [victim for victim in left if _start_time(victim[0]) == victim[1]]
    left = _signal(left, signal.SIGKILL)
    deadline = time.monotonic() + _SECONDS_TO_DIE
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [victim for victim in left if _start_time(victim[0]) == victim[1]]
    return left


def require_none(survivors: Iterable[tuple[int, int]]) -> None:
    """Raises SandboxError if there are any."""
    pids = ", ".join(str(pid) for pid, _ in survivors)
    if pids:
        raise SandboxError(
            f"killed, but still there: process {pids}. Remedy: see what it waits for "
            f"(`cat /proc/<pid>/stack`, often a disk), then run it again"
        )


def identify(pids: Iterable[int]) -> list[tuple[int, int]]:
    """The pairs of number and start time of those that live."""
    return [(pid, started) for pid in pids if (started := _start_time(pid)) is not None]


def _signal(victims: Iterable[tuple[int, int]], number: int) -> list[tuple[int, int]]:
    reached = []
    for pid, started in victims:
        if _start_time(pid) == started:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
            reached.append((pid, started))
    return reached


def _start_time(pid: int) -> int | None:
    """Clock ticks from boot to start (field 22 of proc(5) stat); None if dead or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field, the name in parentheses, may hold spaces.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def boot() -> str:
    """The kernel's name for the time since it was started."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _tail(name: str, lines: int = 12) -> str:
    path = log_file(name)
    text = path.read_text(errors="replace") if path.exists() else ""
    return f"The end of {path}:\n  " + "\n  ".join(text.splitlines()[-lines:])
