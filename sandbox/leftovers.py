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
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import kernel, mounts, network, paths, processes
from .errors import SandboxError


def make_cgroup() -> None:
    """Makes the parent group that the kubelet expects, in every hierarchy.

    Raises:
        SandboxError: version 2 does not let it have the controllers that the kubelet demands.
    """
    for group in _groups():
        if group.parent == _UNIFIED:
            _enable_controllers(group.parent)
        group.mkdir(exist_ok=True)


def end_pods(seconds: float) -> None:
    """Ends all containers: their first processes are asked to stop, after the time all are killed.

    The kubelet must be gone, or it starts them again.

    Raises:
        SandboxError: some live on.
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
        processes.require_none(processes.end(members, 0))
    processes.require_none(processes.identify(_members()))
    processes.require_none(processes.end(processes.identify(_shims()), 0))


def clean() -> None:
    """Removes all remains. Every process of the sandbox must have been ended.

    Raises:
        SandboxError: a process lives on, or something is still mounted or in use; nothing beneath
            it is deleted then.
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
    kernel.restore()


def refuse_mounts(directory: Path) -> None:
    """Raises SandboxError if something is mounted on or below what is about to be deleted."""
    found = [str(mount.point) for mount in mounts.table() if mount.point.is_relative_to(directory)]
    if found:
        raise SandboxError(
            f"{directory} is not deleted, because of what is mounted there: {', '.join(found)}. "
            f"Remedy: unmount it, then run it again"
        )


def _groups() -> list[Path]:
    """The sandbox's group in each hierarchy: version 2 has one, version 1 one per controller."""
    lines = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    kinds = ("cgroup", "cgroup2")
    return [Path(point) / paths.CGROUP for _, point, kind, *_ in lines if kind in kinds]


_UNIFIED = Path("/sys/fs/cgroup")
"""Where version 2 is mounted if it has the controllers; next to version 1 it is deeper."""
# What the kubelet demands of its root group, as far as the kernel has it (getSupportedSubsystems).
_CONTROLLERS = {"cpu", "cpuset", "hugetlb", "memory", "pids"}


def _enable_controllers(parent: Path) -> None:
    """Hands the controllers on to the children of a group of version 2."""
    names = _CONTROLLERS & set(_read(parent / "cgroup.controllers").split())
    try:
        if names - set(_read(parent / "cgroup.subtree_control").split()):
            text = " ".join(f"+{name}" for name in sorted(names))
            (parent / "cgroup.subtree_control").write_text(text)
    except OSError as error:
        raise SandboxError(
            f"{parent}/cgroup.subtree_control does not take {', '.join(sorted(names))}: "
            f"{error.strerror}. Remedy: in a container, where processes in its own root group are "
            f"in the way, move them into a child group, or give it the host's cgroup namespace"
        ) from error


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


def _mounts(table: Iterable[mounts.Mount]) -> list[str]:
    """Mount points that pods and builds made, the last mounted first.

    Only below the directories that no user mounts anything in: the state itself or its volumes may
    lie on disks of their own.
    """
    roots = {paths.KUBELET, paths.CONTAINERD, paths.BUILDKIT, paths.RUN}
    points = [str(mount.point) for mount in table if roots.intersection(mount.point.parents)]
    return points[::-1]


def _unmount() -> None:
    points = _mounts(mounts.table())
    if points:
        # Lazily: what a dying process still holds goes away with it.
        subprocess.run(["umount", "--lazy", *points], check=False, capture_output=True)
    left = _mounts(mounts.table())
    if left:
        raise SandboxError(
            f"still mounted: {', '.join(left)}. Remedy: unmount them (`umount --lazy`) and run it "
            f"again; nothing was deleted"
        )


def _remove_group(group: Path) -> None:
    for directory, _, _ in os.walk(group, topdown=False):
        for _ in range(100):
            try:
                Path(directory).rmdir()
                break
            except FileNotFoundError:
                break
            except OSError:
                # Its last process is still being buried.
                time.sleep(0.02)
        else:
            raise SandboxError(
                f"the control group {directory} cannot be removed. Remedy: end its processes "
                f"(`cat {directory}/cgroup.procs`), then run it again"
            )


def _read(path: Path) -> str:
    """A file that may vanish with its process or group."""
    try:
        return path.read_text()
    except OSError:
        return ""
