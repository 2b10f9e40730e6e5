"""Removes what pods leave in the kernel: processes, mounts, control groups, addresses.

Everything is found by names that only the sandbox uses: its control group, its run and state
directories, its containerd socket.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from . import network, paths, processes
from .errors import SandboxError


def make_cgroup() -> None:
    """Makes the parent group that the kubelet expects, in every hierarchy."""
    for group in _groups():
        group.mkdir(exist_ok=True)


def end_pods(seconds: float) -> None:
    """Ends all containers: their first processes are asked to stop, after the time all are killed.

    The kubelet must be gone, or it starts them again.
    """
    firsts = set(filter(_is_first, _members()))
    listening = set(filter(_listens_to_sigterm, firsts))
    processes.end(processes.identify(firsts - listening), 0)
    processes.end(processes.identify(listening), seconds)
    # Killing may race with forks; groups empty out within a few rounds.
    for _ in range(20):
        members = processes.identify(_members())
        if not members:
            break
        processes.end(members, 0)
    processes.end(processes.identify(_shims()), 0)


def clean() -> None:
    """Removes all remains. Every process of the sandbox must have been ended.

    Raises:
        SandboxError: something is still mounted; nothing beneath it is deleted then.
    """
    end_pods(0)
    _unmount()
    for group in _groups():
        _remove_group(group)
    if paths.RUN.exists():
        for entry in paths.RUN.iterdir():
            if entry.name != "lock":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    # libcni keeps a copy of each result here, wherever the rest is configured to be.
    for result in Path("/var/lib/cni/results").glob(f"{paths.NAME}-*"):
        result.unlink()
    network.remove()


def _groups() -> list[Path]:
    """The sandbox's group in each hierarchy: version 2 has one, version 1 one per controller."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return [Path(mount[1]) / paths.CGROUP for mount in mounts if mount[2] in ("cgroup", "cgroup2")]


def _members() -> set[int]:
    """Processes in the sandbox's groups."""
    return {
        int(pid)
        for group in _groups()
        for directory, _, _ in os.walk(group)
        for pid in _read(Path(directory) / "cgroup.procs").split()
    }


def _is_first(pid: int) -> bool:
    """Whether the process is the first of a PID namespace, as a container's main process is."""
    found = re.search(r"^NSpid:.*\s(\d+)$", _read(Path(f"/proc/{pid}/status")), re.MULTILINE)
    return found is not None and found[1] == "1"


def _listens_to_sigterm(pid: int) -> bool:
    """Whether it has a handler (SigCgt), or blocks the signal to fetch it itself (SigBlk).

    From the first process of a container that does neither, the kernel keeps SIGTERM away.
    """
    status = _read(Path(f"/proc/{pid}/status"))
    masks = re.findall(r"^Sig(?:Cgt|Blk):\s+([0-9a-f]+)$", status, re.MULTILINE)
    return any(int(mask, 16) >> (signal.SIGTERM - 1) & 1 for mask in masks)


def _shims() -> Iterator[int]:
    """Shims of containerd: they outlive it, and are known by its socket in their command lines."""
    for process in Path("/proc").glob("[0-9]*"):
        words = _read(process / "cmdline").split("\0")
        if words[0].endswith("containerd-shim-runc-v2") and str(paths.CONTAINERD_SOCKET) in words:
            yield int(process.name)


def _mounts() -> Iterator[str]:
    """Mount points in the sandbox's directories, the last mounted first."""
    for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
        # Field 5 of proc_pid_mountinfo(5), with blanks written in octal.
        point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), line.split()[4])
        if Path(point).is_relative_to(paths.RUN) or Path(point).is_relative_to(paths.STATE):
            yield point


def _unmount() -> None:
    points = list(_mounts())
    if points:
        # Lazily: what a dying process still holds goes away with it.
        subprocess.run(["umount", "--lazy", *points], check=False, capture_output=True)
    left = list(_mounts())
    if left:
        raise SandboxError(
            f"still mounted: {', '.join(left)}. Remedy: unmount them (`umount --lazy`) and run it "
            f"again; nothing was deleted"
        )


def _remove_group(group: Path) -> None:
    for directory, _, _ in os.walk(group, topdown=False):
        for _ in range(50):
            try:
                Path(directory).rmdir()
                break
            except FileNotFoundError:
                break
            except OSError:
                # Its last process is still being buried.
                time.sleep(0.02)


def _read(path: Path) -> str:
    """A file that may vanish with its process or group."""
    try:
        return path.read_text()
    except OSError:
        return ""
