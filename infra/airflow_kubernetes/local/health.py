"""Waiting for the containers of a Compose project; Compose 1 has no `up --wait`."""

import json
import sys
import time
from typing import Any

from ..errors import UserError
from .engine import Engine

TIMEOUT = 600.0
RESTARTS = 3
"""A container that failed so often will not become well by another start."""

GOOD, BAD = ("healthy", "done"), ("failed", "unhealthy")


class UnhealthyError(UserError):
    """A service failed or did not get well in time; the message has its last lines."""


def wait(here: Engine, project: str) -> None:
    """Until every service is healthy or, of those that end, has ended well.

    Raises UnhealthyError.
    """
    started, said = time.monotonic(), ""
    while True:
        containers = _containers(here, project)
        states = {name: state(container) for name, container in containers.items()}
        text = ", ".join(f"{name} {word}" for name, word in sorted(states.items()))
        seconds = time.monotonic() - started
        if text != said:
            print(f"  {seconds:4.0f} s  {text}", file=sys.stderr, flush=True)
            said = text
        missing = [name for name, word in states.items() if word not in GOOD]
        if states and not missing:
            return
        failed = [name for name in missing if states[name] in BAD]
        if failed or seconds > TIMEOUT:
            ids = {name: containers[name]["Id"] for name in failed or missing}
            raise UnhealthyError(_reasons(here, ids, seconds))
        time.sleep(1)


def state(container: dict[str, Any]) -> str:
    """In a word, from `docker inspect`: one of GOOD or BAD, or what may still become either."""
    found = container["State"]
    if found["Status"] in ("exited", "dead"):
        return "failed" if found["ExitCode"] or "Health" in found else "done"
    if container["RestartCount"] >= RESTARTS:
        return "failed"
    return str(found["Health"]["Status"] if "Health" in found else found["Status"])


def _containers(here: Engine, project: str) -> dict[str, dict[str, Any]]:
    """What `docker inspect` says, by service."""
    labels = [f"com.docker.compose.project={project}", "com.docker.compose.oneoff=False"]
    filters = [word for label in labels for word in ("--filter", f"label={label}")]
    ids = here.run("ps", "--all", "--quiet", *filters).stdout.split()
    found = json.loads(here.run("inspect", *ids).stdout or "[]") if ids else []
    return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}


def _reasons(here: Engine, ids: dict[str, str], seconds: float) -> str:
    lines = [f"not healthy after {seconds:.0f} s: {', '.join(ids) or 'there is no container'}"]
    for name, container in ids.items():
        logs = here.run("logs", "--tail", "15", container)
        lines += [f"the last lines of {name}:", *(logs.stdout + logs.stderr).splitlines()]
    return "\n  ".join(lines)
