"""Settings of the machine's kernel: those that the sandbox needs, and what all were before it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from . import commands, mounts, paths, processes
from .errors import SandboxError

_SETTINGS = Path("/proc/sys")
_BEFORE = paths.STATE / "kernel-before.json"
"""What `restore` goes back to; counts only for the boot that is written in it."""

# Packets between pods must pass iptables, or answers through a Service bypass its translation.
_NEEDED = {"net/ipv4/ip_forward": "1", "net/bridge/bridge-nf-call-iptables": "1"}
# Kubernetes' parts watch many files; the kernel's default of 128 watchers is used up by a few pods.
_AT_LEAST = {"fs/inotify/max_user_instances": 1024}
# The first is kube-proxy's, for node ports on loopback; the kubelet sets the others as it starts.
_CHANGED_BY_PARTS = (
    "net/ipv4/conf/all/route_localnet",
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)


def ensure() -> None:
    """Makes the settings after noting what they were; safe to repeat.

    Raises:
        SandboxError: the kernel refused one of them.
    """
    if shutil.which("modprobe"):
        # Built into some kernels; the setting exists only if it is present.
        subprocess.run(["modprobe", "br_netfilter"], check=False, capture_output=True)
    if not _before():
        _note()
    for name, value in _NEEDED.items():
        _set(name, value)
    for name, least in _AT_LEAST.items():
        if int(_get(name) or 0) < least:
            _set(name, str(least))
    # The kubelet hands mounts made after a pod's start on into the pod.
    _mount("--make-rshared", "/")


def restore() -> None:
    """Goes back to what was noted; kube-proxy and the kubelet must have ended.

    Raises:
        SandboxError: the kernel refused a setting.
    """
    before = _before()
    for name, value in before.get("settings", {}).items():
        if _get(name):
            _set(name, value)
    mounted = {str(mount.point) for mount in mounts.table()}
    for point in before.get("private", []):
        if point in mounted:
            _mount("--make-private", point)
    _BEFORE.unlink(missing_ok=True)


def _note() -> None:
    names = (*_NEEDED, *_AT_LEAST, *_CHANGED_BY_PARTS)
    before = {
        "boot": processes.boot(),
        "settings": {name: value for name in names if (value := _get(name))},
        "private": [str(mount.point) for mount in mounts.table() if not mount.shared],
    }
    unfinished = _BEFORE.with_suffix(".new")
    unfinished.write_text(json.dumps(before, indent=2))
    unfinished.rename(_BEFORE)


def _before() -> dict[str, Any]:
    """What was noted in this boot; empty if nothing was."""
    before: dict[str, Any] = json.loads(_BEFORE.read_text()) if _BEFORE.exists() else {}
    return before if before.get("boot") == processes.boot() else {}


def _get(name: str) -> str:
    """A setting's value; empty if this kernel does not have it."""
    path = _SETTINGS / name
    return path.read_text().strip() if path.exists() else ""


def _set(name: str, value: str) -> None:
    # Writing ip_forward resets the machine's other network settings, so it is not written in vain.
    if _get(name) == value:
        return
    try:
        (_SETTINGS / name).write_text(value)
    except OSError as error:
        raise SandboxError(
            f"the kernel setting {name.replace('/', '.')} cannot be set to {value}: "
            f"{error.strerror}. Remedy: the sandbox needs root and a kernel with br_netfilter"
        ) from error


def _mount(*arguments: str) -> None:
    commands.capture(["mount", *arguments], "the sandbox needs root (CAP_SYS_ADMIN)")
