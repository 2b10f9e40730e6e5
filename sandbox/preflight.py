"""What must be true of the machine before anything is started; all that is not, at once."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from . import components, network, paths, processes, toolchain
from .errors import SandboxError

_GIB = 1024**3
_MEMORY = 6 * _GIB
_DISK = 15 * _GIB


def check() -> None:
    """Raises SandboxError with every problem and its remedy."""
    problems = [*_root(), *_go(), *_memory(), *_disk(), *_ports(), *_other_kubernetes()]
    if problems:
        raise SandboxError(
            "the sandbox cannot start here:\n" + "\n".join(f"  - {text}" for text in problems)
        )


def _root() -> Iterator[str]:
    if os.geteuid() != 0:
        yield (
            "not root, but containers, mounts and a network bridge need it. "
            "Remedy: run it as root (`sudo -E`)"
        )


def _go() -> Iterator[str]:
    if shutil.which("go") is None:
        yield toolchain.GO_IS_MISSING


def _memory() -> Iterator[str]:
    if processes.recorded():
        # Some of it is still running and uses the memory that is looked for here.
        return
    found = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    available = int(found[1]) * 1024 if found else _MEMORY
    if available < _MEMORY:
        yield (
            f"{available / _GIB:.1f} GiB of memory are available, {_MEMORY / _GIB:.0f} GiB are "
            f"needed. Remedy: end other programs, or use a larger machine"
        )


def _disk() -> Iterator[str]:
    # Cache and state are often on one disk, which is then named once.
    for path in {_device(path): path for path in (paths.CACHE, paths.STATE)}.values():
        free = shutil.disk_usage(_existing(path)).free
        if free < _DISK:
            yield (
                f"{free / _GIB:.1f} GiB are free for {path}, {_DISK / _GIB:.0f} GiB are needed. "
                f"Remedy: free some, or set XDG_CACHE_HOME and XDG_STATE_HOME to a larger disk"
            )


def _ports() -> Iterator[str]:
    if os.geteuid() != 0:
        # Others' processes cannot be told from our own then.
        return
    own = {found.pid for name in processes.recorded() if (found := processes.find(name))}
    listeners = _listeners()
    holders = _holders(set(listeners.values()))
    for port in components.PORTS:
        for address in (port.address, *_EVERY_ADDRESS):
            inode = listeners.get((address, port.number))
            pid = holders.get(inode or "")
            if inode and pid not in own:
                yield (
                    f"port {port.number}, which {port.owner} needs, is in use by {_name(pid)}. "
                    f"Remedy: stop it"
                )


def _other_kubernetes() -> Iterator[str]:
    if os.geteuid() == 0 and network.foreign_kubernetes_rules():
        yield (
            "another Kubernetes has iptables rules (chains named KUBE-...) on this machine, and "
            "two share these names. Remedy: stop it and let it remove them (`kube-proxy --cleanup`)"
        )


_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 what others may listen on, not we


def _listeners() -> dict[tuple[str, int], str]:
    """Addresses and ports that are listened on, and their sockets' inodes."""
    found: dict[tuple[str, int], str] = {}
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            # proc_net_tcp(5): local address:port in hexadecimal, state (0A: listening), inode.
            fields = line.split()
            if fields[3] == "0A":
                address, _, port = fields[1].partition(":")
                found[_address(address), int(port, 16)] = fields[9]
    return found


def _address(text: str) -> str:
    """An address as the kernel prints it: 32-bit words in the machine's byte order."""
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    return str(ip_address(b"".join(word.to_bytes(4, sys.byteorder) for word in words)))


def _holders(inodes: set[str]) -> dict[str, int]:
    """Which process holds each socket, as far as this user may see."""
    holders: dict[str, int] = {}
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if target in wanted:
            holders[wanted[target]] = int(link.parts[2])
    return holders


def _name(pid: int | None) -> str:
    if pid is None:
        return "an unknown process"
    return f"{Path(f'/proc/{pid}/comm').read_text().strip()} (pid {pid})"


def _device(path: Path) -> int:
    return _existing(path).stat().st_dev


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())
