"""Probes: whether a container has started, is alive and is ready."""

from dataclasses import dataclass
from typing import Any

Probe = dict[str, Any]


@dataclass(frozen=True)
class Probes:
    """The three probes that every long-running container has: without them, a Deployment counts
    as ready while it crash-loops.
    """

    startup: Probe
    liveness: Probe
    readiness: Probe


def probe(action: Probe, *, period: int, failures: int, timeout: int = 5) -> Probe:
    """A probe every `period` seconds that gives up after `failures` in a row."""
    return {
        **action,
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }


def http(path: str, port: int) -> Probe:
    """The action of a probe by HTTP."""
    return {"httpGet": {"path": path, "port": port}}


def tcp(port: int) -> Probe:
    """The action of a probe that opens a connection."""
    return {"tcpSocket": {"port": port}}


def execute(*command: str) -> Probe:
    """The action of a probe that runs a command in the container."""
    return {"exec": {"command": list(command)}}


def recently_touched(file: str, seconds: int) -> Probe:
    """The action of a probe that succeeds if the file was touched within the last `seconds`."""
    age = f"$(( $(date +%s) - $(stat -c %Y {file} 2>/dev/null || echo 0) ))"
    return execute("sh", "-c", f"test {age} -lt {seconds}")
