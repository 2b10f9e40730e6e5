"""Progress lines with the seconds since the start."""

from __future__ import annotations

import sys
import time


class Progress:
    """Calling it with a message prints one line: elapsed seconds, then the message.

    Lines go to standard error, so that standard output carries results only.
    """

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, message: str) -> None:
        """Prints one line."""
        print(f"[{self.elapsed:6.1f} s] {message}", file=sys.stderr, flush=True)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start
