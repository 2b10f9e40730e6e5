"""The mounts that this process sees."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mount:
    """Where it is mounted, and whether mounts below it are handed on to other namespaces."""

    point: Path
    shared: bool


def table() -> list[Mount]:
    """All mounts, in the order in which they were made."""
    return parse(Path("/proc/self/mountinfo").read_text())


def parse(text: str) -> list[Mount]:
    """Reads proc_pid_mountinfo(5): field 5 is the point, 7 up to the dash the propagation."""
    mounts = []
    for line in text.splitlines():
        fields = line.split()
        # Blanks are written in octal.
        point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4])
        optional = fields[6 : fields.index("-", 6)]
        mounts.append(Mount(Path(point), any(field.startswith("shared:") for field in optional)))
    return mounts
