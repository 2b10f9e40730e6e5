"""Content tags: the same inputs give the same tag on every machine."""

import hashlib
import os
import shutil
from pathlib import Path

from .specs import ROOT, ImageSpec

STAGING = ROOT / ".build"
"""Where build contexts are laid out; ignored by git, at the same relative path everywhere."""


def tag(spec: ImageSpec) -> str:
    """16 hexadecimal digits over files (path, mode, content), arguments and platforms."""
    digest = hashlib.sha256()

    def add(*parts: bytes) -> None:
        for part in parts:
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)

    for path, source in sorted(spec.files):
        add(path.encode(), oct(_mode(source)).encode(), source.read_bytes())
    for name, value in sorted(spec.arguments):
        add(name.encode(), value.encode())
    add(*(platform.encode() for platform in sorted(spec.platforms)))
    return digest.hexdigest()[:16]


def stage(spec: ImageSpec, staging: Path = STAGING) -> Path:
    """The build context as a normalised tree: modes 755 or 644 whatever the umask was.

    Written beside the old one and swapped in, so a build never sees half of it.
    """
    context, fresh = staging / spec.name, staging / f"{spec.name}.{os.getpid()}"
    for path, source in spec.files:
        target = fresh / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(_mode(source))
    for folder in [fresh, *(path for path in fresh.rglob("*") if path.is_dir())]:
        folder.chmod(0o755)
    shutil.rmtree(context, ignore_errors=True)
    fresh.rename(context)
    return context


def _mode(source: Path) -> int:
    """Executable or not is all that counts; the rest depends on the umask of a checkout."""
    return 0o755 if source.stat().st_mode & 0o100 else 0o644
