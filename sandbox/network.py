"""The bridge of the pods, the kernel settings that it needs, and the packet filter's rules."""

from __future__ import annotations

import shlex
import shutil
import subprocess

from . import paths
from .errors import SandboxError

# Kubernetes' parts watch many files; the kernel's default of 128 watchers is used up by a few pods.
# Packets between pods must pass iptables, or answers through a Service bypass its translation.
_KERNEL = {
    "fs.inotify.max_user_instances": "1024",
    "net.ipv4.ip_forward": "1",
    "net.bridge.bridge-nf-call-iptables": "1",
}

_OWNERSHIP = paths.STATE / "owns-iptables"
"""Exists while chains named KUBE-... on this machine are the sandbox's."""


def ensure() -> None:
    """Makes the bridge and the rules; safe to repeat.

    Raises:
        SandboxError: the kernel refused one of them.
    """
    _OWNERSHIP.touch()
    if shutil.which("modprobe"):
        # Built into some kernels; the setting below tells whether it is there.
        subprocess.run(["modprobe", "br_netfilter"], check=False, capture_output=True)
    for name, value in _KERNEL.items():
        _run("sysctl", "-qw", f"{name}={value}")
    # The kubelet hands mounts made after a pod's start on into the pod.
    _run("mount", "--make-rshared", "/")
    if not _exists():
        _run("ip", "link", "add", paths.BRIDGE, "type", "bridge")
        prefix = paths.POD_NETWORK.partition("/")[2]
        _run("ip", "address", "add", f"{paths.BRIDGE_ADDRESS}/{prefix}", "dev", paths.BRIDGE)
    _run("ip", "link", "set", paths.BRIDGE, "up")
    # kube-proxy translates Service addresses, but only of packets that have somewhere to go.
    _run("ip", "route", "replace", paths.SERVICE_NETWORK, "dev", paths.BRIDGE)
    for direction in ("-i", "-o"):
        # Where another program drops forwarded packets by default (Docker does), pods need this.
        rule = ["FORWARD", direction, paths.BRIDGE, "-m", "comment", "--comment", paths.NAME]
        rule += ["-j", "ACCEPT"]
        check = subprocess.run(["iptables", "-w", "-C", *rule], check=False, capture_output=True)
        if check.returncode:
            _run("iptables", "-w", "-I", *rule)


def remove() -> None:
    """Removes the bridge with its route, and every rule that kube-proxy, the kubelet or we made."""
    if _exists():
        _run("ip", "link", "delete", paths.BRIDGE)
    if _OWNERSHIP.exists():
        for command in ("iptables", "ip6tables"):
            if shutil.which(command):
                _remove_rules(command)
        _OWNERSHIP.unlink()


def foreign_kubernetes_rules() -> bool:
    """Whether another Kubernetes keeps rules on this machine; only one can own these names."""
    if shutil.which("iptables-save") is None or _OWNERSHIP.exists():
        return False
    return ":KUBE-" in _capture("iptables-save")


def _remove_rules(command: str) -> None:
    script: list[str] = []
    for line in _capture(f"{command}-save").splitlines():
        if line.startswith("*"):
            deletions: list[str] = []
            chains: list[str] = []
            table = line
        elif line.startswith(":KUBE-"):
            chains.append(line[1:].split()[0])
        elif line.startswith("-A ") and not line.startswith("-A KUBE-") and _is_ours(line):
            deletions.append(f"-D{line[2:]}")
        elif line == "COMMIT" and (chains or deletions):
            flushes = [f"-F {chain}" for chain in chains]
            removals = [f"-X {chain}" for chain in chains]
            script += [table, *deletions, *flushes, *removals, line]
    if script:
        _run(f"{command}-restore", "-w", "--noflush", text="\n".join(script) + "\n")


def _is_ours(rule: str) -> bool:
    words = shlex.split(rule)
    target = words[words.index("-j") + 1] if "-j" in words else ""
    comment = words[words.index("--comment") + 1] if "--comment" in words else ""
    return target.startswith("KUBE-") or comment == paths.NAME


def _exists() -> bool:
    show = ["ip", "link", "show", paths.BRIDGE]
    return subprocess.run(show, check=False, capture_output=True).returncode == 0


def _capture(command: str) -> str:
    return subprocess.run([command], check=True, capture_output=True, text=True).stdout


def _run(*command: str, text: str | None = None) -> None:
    result = subprocess.run(command, check=False, capture_output=True, text=True, input=text)
    if result.returncode:
        raise SandboxError(
            f"`{' '.join(command)}` failed: {result.stderr.strip()}. "
            f"Remedy: the sandbox needs root and a kernel with bridges and iptables"
        )
