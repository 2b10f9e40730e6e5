"""The bridge of the pods, and the packet filter's rules."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

from . import commands, paths, processes

_OWNERSHIP = paths.STATE / "owns-iptables"
"""Holds the boot in which chains named KUBE-... on this machine are the sandbox's: a restart of the
machine removes them, and those found after it are another's."""

_COMMENT = ("-m", "comment", "--comment", paths.NAME)
_FROM_OUTSIDE = ("!", "-i", paths.BRIDGE, "-m", "addrtype", "!", "--src-type", "LOCAL")
# Answers of a Service to this machine itself bear the Service's address, which is not local.
_NEW = ("-m", "conntrack", "--ctstate", "NEW")
_RULES = (
    # Linux takes packets for any of its addresses from any interface, so an address on the bridge
    # alone keeps nobody out. Before kube-proxy's translation, since it accepts what it translated.
    *(
        ("mangle", "PREROUTING", "-d", network, *_FROM_OUTSIDE, *_NEW, *_COMMENT, "-j", "DROP")
        for network in (paths.POD_NETWORK, paths.SERVICE_NETWORK, "127.0.0.0/8")
    ),
    # Where another program drops forwarded packets by default (Docker does), pods need these.
    ("filter", "FORWARD", "-i", paths.BRIDGE, *_COMMENT, "-j", "ACCEPT"),
    ("filter", "FORWARD", "-o", paths.BRIDGE, *_COMMENT, "-j", "ACCEPT"),
)


def ensure() -> None:
    """Makes the bridge and the rules; safe to repeat.

    Raises:
        SandboxError: the kernel refused one of them.
    """
    _OWNERSHIP.write_text(processes.boot())
    if not _exists():
        _run("ip", "link", "add", paths.BRIDGE, "type", "bridge")
        prefix = paths.POD_NETWORK.partition("/")[2]
        _run("ip", "address", "add", f"{paths.BRIDGE_ADDRESS}/{prefix}", "dev", paths.BRIDGE)
    _run("ip", "link", "set", paths.BRIDGE, "up")
    # kube-proxy translates Service addresses, but only of packets that have somewhere to go.
    _run("ip", "route", "replace", paths.SERVICE_NETWORK, "dev", paths.BRIDGE)
    for table, *rule in _RULES:
        iptables = ["iptables", "-w", "-t", table]
        check = subprocess.run([*iptables, "-C", *rule], check=False, capture_output=True)
        if check.returncode:
            _run(*iptables, "-I", *rule)


def remove() -> None:
    """Removes the bridge with its route, and every rule that kube-proxy, the kubelet or we made."""
    if _exists():
        _run("ip", "link", "delete", paths.BRIDGE)
    if _is_owner():
        for command in ("iptables", "ip6tables"):
            if shutil.which(command):
                script = _removal(_run(f"{command}-save"))
                if script:
                    _run(f"{command}-restore", "-w", "--noflush", text=script)
    _OWNERSHIP.unlink(missing_ok=True)


def foreign_kubernetes_rules() -> bool:
    """Whether another Kubernetes keeps rules on this machine; only one can own these names."""
    if shutil.which("iptables-save") is None or _is_owner():
        return False
    return ":KUBE-" in _run("iptables-save")


def _is_owner() -> bool:
    return _OWNERSHIP.exists() and _OWNERSHIP.read_text() == processes.boot()


def _removal(saved: str) -> str:
    """What iptables-restore needs to remove our rules from what iptables-save printed."""
    script: list[str] = []
    for line in saved.splitlines():
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
    return "".join(f"{line}\n" for line in script)


def _is_ours(rule: str) -> bool:
    words = shlex.split(rule)
    target = words[words.index("-j") + 1] if "-j" in words else ""
    comment = words[words.index("--comment") + 1] if "--comment" in words else ""
    return target.startswith("KUBE-") or comment == paths.NAME


def _exists() -> bool:
    return Path("/sys/class/net", paths.BRIDGE).exists()


def _run(*command: str, text: str | None = None) -> str:
    remedy = "the sandbox needs root, iproute2, iptables and a kernel with bridges"
    return commands.capture(command, remedy, text=text)
