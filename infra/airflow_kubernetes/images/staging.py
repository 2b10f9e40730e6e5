"""Build contexts as normalised trees."""

import os
import shutil
from pathlib import Path

from .specs import ROOT, ImageSpec

STAGING = ROOT / ".build"
"""Where build contexts are laid out; ignored by git, at the same relative path everywhere."""


def stage(spec: ImageSpec, staging: Path = STAGING) -> Path:
    """The build context of exactly these bytes: `<staging>/<name>/<tag>`, modes 755 and 644.

    Laid out beside its place and renamed, so nobody ever sees half of it; one that is there
    already is the same.
    """
    context = staging / spec.name / spec.tag
    if context.exists():
        return context
    fresh = context.with_name(f"{spec.tag}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)  # a killed run's
    for file in spec.files:
        target = fresh / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
        target.chmod(file.mode)
    for folder in [fresh, *(path for path in fresh.rglob("*") if path.is_dir())]:
        folder.chmod(0o755)
    try:
        fresh.rename(context)
    except OSError:  # another process was faster
        shutil.rmtree(fresh)
    return context
