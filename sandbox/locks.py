"""A lock between processes, held while a block runs."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .progress import Progress


@contextmanager
def held(path: Path, whose: str, progress: Progress) -> Iterator[None]:
    """Holds the lock file, whose directory must exist; waits while another process does."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"{whose} is at work, waiting for it")
            with progress.signs_of_life(lambda seconds: f"still waiting for it: {seconds:.0f} s"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield
