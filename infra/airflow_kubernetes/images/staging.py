"""Build contexts on disk, alike on every machine."""

import os
import shutil
from pathlib import Path

from ..paths import ROOT
from .specs import EPOCH, ImageSpec

STAGING = ROOT / ".build"
"""The folder of build contexts; ignored by git, at the same relative path everywhere."""


def stage(spec: ImageSpec, staging: Path = STAGING) -> Path:
    """The build context of exactly these bytes: `<staging>/<name>/<tag>`, modes 755 and 644, dates
    SOURCE_DATE_EPOCH.

    It is written next to that folder and renamed, so it is never seen incomplete; a context that
    exists already is the same.
    """
    context = staging / spec.name / spec.tag
    if context.exists():
        return context
    fresh = context.with_name(f"{spec.tag}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)  # left by a run that was killed
    for file in spec.files:
        target = fresh / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
        target.chmod(file.mode)
    for path in [fresh, *fresh.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
        os.utime(path, (int(EPOCH), int(EPOCH)))
    try:
        fresh.rename(context)
    except OSError:  # another process was faster
        shutil.rmtree(fresh)
    return context
