"""What a task's pod used and what it requested, as its container reported it (measured.sh)."""

from __future__ import annotations

import datetime
import json
from typing import Any, NamedTuple

TIME = "%Y-%m-%dT%H:%M:%S%z"


class Use(NamedTuple):
    """Of a task's container: CPU in cores, memory in bytes, its page cache included."""

    seconds: float
    cpu_seconds: float
    memory_peak: int
    cpu_requested: float
    memory_requested: int


def use(pod: dict[str, Any]) -> tuple[float, ...] | None:
    """The fields of a Use; None for a pod whose container was killed before it could report."""
    from kubernetes.utils.quantity import parse_quantity

    name = pod["spec"]["containers"][0]["name"]
    requests = pod["spec"]["containers"][0].get("resources", {}).get("requests", {})
    for status in pod["status"].get("containerStatuses", []):
        ended = status.get("state", {}).get("terminated") if status["name"] == name else None
        if not ended:
            continue
        try:
            said = json.loads(ended.get("message") or "")
            begin, end = (
                datetime.datetime.strptime(ended[key], TIME) for key in ("startedAt", "finishedAt")
            )
            return (
                # The API server's times are whole seconds.
                max(1.0, (end - begin).total_seconds()),
                int(said["cpu_usec"]) / 1e6,
                int(said["memory_peak"]),
                float(parse_quantity(requests.get("cpu", 0))),
                int(parse_quantity(requests.get("memory", 0))),
            )
        except (ValueError, TypeError, KeyError):  # another image's message
            return None
    return None
