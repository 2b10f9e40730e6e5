"""The environments of a checkout, rendered by its own code."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from ..images.specs import ROOT
from ..kubernetes.manifest import Manifest
from ..settings.load import environments

SCRIPT = Path(__file__).with_name("forked.py")
PATIENCE = 300
"""Seconds after which a program that does not end is given up."""

LONGEST = 20
"""Lines of an error that are kept, the last ones."""


@dataclass(frozen=True)
class Rendered:
    """An environment's objects and what was said on the way, or why there are none."""

    objects: tuple[Manifest, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str | None = None


def render(checkout: Path, wanted: Iterable[str]) -> dict[str, Rendered]:
    """Those of the `wanted` environments that a checkout has."""
    names = sorted({*wanted} & {*environments(checkout / "values")})
    with tempfile.TemporaryDirectory(prefix="airflow-kubernetes-") as folder:
        outputs, cache = Path(folder, "outputs"), Path(folder, "cache")
        outputs.mkdir()
        said = _run(checkout, names, outputs, cache)
        return {name: _rendered(checkout, outputs, name, said) for name in names}


def _run(checkout: Path, names: list[str], outputs: Path, cache: Path) -> str:
    """Run the script; what it said itself, if it could not begin or did not end.

    The cache is empty: a report does not depend on what was built on this machine.
    """
    variables = {name: value for name, value in os.environ.items() if name != "SET"}
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(SCRIPT), str(outputs), *names],
            cwd=checkout,
            env={**variables, "PYTHONPATH": "infra", "XDG_CACHE_HOME": str(cache)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it did not end within {PATIENCE} s"
    return done.stderr.decode(errors="backslashreplace")


def _rendered(checkout: Path, outputs: Path, name: str, said: str) -> Rendered:
    output, told, code = (outputs / f"{name}.{suffix}" for suffix in ("out", "err", "code"))
    ended = code.exists()
    if ended:
        said = told.read_bytes().decode(errors="backslashreplace")
    # The same words on every machine.
    for folder in (checkout, sys.prefix, sys.base_prefix, ROOT):
        said = said.replace(f"{folder}{os.sep}", "")
    lines = said.strip().splitlines()
    if not ended or code.read_text() != "0":
        return Rendered(error="\n".join(lines[-LONGEST:]) or "it ended without a word")
    try:
        # The C loader: the other one takes as long as rendering.
        objects = tuple(yaml.load_all(output.read_bytes(), Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        return Rendered(error=f"what it printed is no YAML: {error}")
    if not objects or not all(isinstance(one, dict) and "kind" in one for one in objects):
        return Rendered(error="it printed no Kubernetes objects")
    return Rendered(objects, tuple(dict.fromkeys(lines)))
