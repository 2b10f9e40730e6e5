"""What must be true of the machine before anything is started; all that is not, at once."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from ipaddress import IPv4Network, ip_address
from pathlib import Path

from . import components, network, paths, processes, toolchain
from .errors import SandboxError

_GIB = 1024**3
_MEMORY = 6 * _GIB
_DISK = 3 * _GIB
_DISK_TO_BUILD_TOOLS = 15 * _GIB

NOT_ROOT = (
    "not root, but containers, mounts and a network bridge need it. "
    'Remedy: run it as root (`sudo -E env PATH="$PATH" …`, which keeps the path to Go)'
)


def check() -> None:
    """Raises SandboxError with every problem and its remedy."""
    problems = [
        *_machine(),
        *_root(),
        *_go(),
        *_memory(),
        *_disk(),
        *_ports(),
        *_networks(),
        *_other_kubernetes(),
    ]
    if problems:
        raise SandboxError(
            "the sandbox cannot start here:\n" + "\n".join(f"  - {text}" for text in problems)
        )


def _machine() -> Iterator[str]:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        yield (
            f"this is {platform.system()} on {platform.machine()}, and the tools and stand-in "
            f"images are made for Linux on x86_64. Remedy: use such a machine"
        )


def _root() -> Iterator[str]:
    if os.geteuid() != 0:
        yield NOT_ROOT


def _go() -> Iterator[str]:
    try:
        toolchain.go_version()
    except SandboxError as error:
        yield str(error)


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
    needed = _DISK if _tools_are_built() else _DISK_TO_BUILD_TOOLS
    # Cache and state are often on one disk, which is then named once.
    for path in {_device(path): path for path in (paths.CACHE, paths.STATE)}.values():
        free = shutil.disk_usage(_existing(path)).free
        if free < needed:
            yield (
                f"{free / _GIB:.1f} GiB are free for {path}, {needed / _GIB:.0f} GiB are needed. "
                f"Remedy: free some, or set XDG_CACHE_HOME and XDG_STATE_HOME to a larger disk"
            )


def _tools_are_built() -> bool:
    try:
        return all(toolchain.bin_directory(family).is_dir() for family in toolchain.FAMILIES)
    except SandboxError:
        return False


def _ports() -> Iterator[str]:
    if os.geteuid() != 0:
        # Other processes cannot be distinguished from the sandbox's then.
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


def _networks() -> Iterator[str]:
    for device, route in _routes(Path("/proc/net/route").read_text()):
        # A default route, or one of the two halves that some VPNs make of it, gives way.
        if device == paths.BRIDGE or route.prefixlen <= 1:
            continue
        for ours in (paths.POD_NETWORK, paths.SERVICE_NETWORK):
            if route.overlaps(IPv4Network(ours)):
                yield (
                    f"the sandbox's network {ours} overlaps with {route} on {device}. "
                    f"Remedy: disconnect that network (`ip route` lists them), a VPN for example"
                )


def _routes(table: str) -> Iterator[tuple[str, IPv4Network]]:
    """Device and destination of each route in /proc/net/route, written as _address reads them."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        yield fields[0], IPv4Network(f"{_address(fields[1])}/{_address(fields[7])}")


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
