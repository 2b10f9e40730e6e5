"""Environments rendered by their own code, each in a process of its own, several at a time."""

import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from ..kubernetes.metadata import Manifest
from ..settings.load import environments

PATIENCE = 120
"""Seconds after which a program that does not end is given up."""

LONGEST = 20
"""Lines of an error that are kept, the last ones."""


@dataclass(frozen=True)
class Rendered:
    """An environment's objects and what was said on the way, or why there are none."""

    objects: tuple[Manifest, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str | None = None


def start(
    pool: ThreadPoolExecutor, checkout: Path, wanted: Iterable[str], cache: Path
) -> dict[str, Future[Rendered]]:
    """Begin to render those of the `wanted` environments that the checkout has."""
    known = environments(checkout / "values")
    return {
        name: pool.submit(render, checkout, name, cache) for name in sorted({*wanted} & {*known})
    }


def render(checkout: Path, environment: str, cache: Path) -> Rendered:
    """Run `python -m bundle render` of a checkout, whose interface is the same in all commits.

    `cache` is an empty folder: a report does not depend on what was built on this machine.
    """
    variables = {name: value for name, value in os.environ.items() if name != "SET"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bundle", "render", environment],
            cwd=checkout,
            env={**variables, "PYTHONPATH": "infra", "XDG_CACHE_HOME": str(cache)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Rendered(error=f"it did not end within {PATIENCE} s")
    said = done.stderr.strip()
    # The same words on every machine.
    for folder in (checkout, sys.prefix, sys.base_prefix):
        said = said.replace(f"{folder}{os.sep}", "")
    lines = said.splitlines()
    if done.returncode:
        return Rendered(error="\n".join(lines[-LONGEST:]) or f"exit code {done.returncode}")
    try:
        # The C loader: the other one takes as long as rendering.
        objects = tuple(yaml.load_all(done.stdout, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        return Rendered(error=f"what it printed is no YAML: {error}")
    if not objects or not all(isinstance(one, dict) and "kind" in one for one in objects):
        return Rendered(error="it printed no Kubernetes objects")
    return Rendered(objects, tuple(dict.fromkeys(lines)))
