"""Progress lines with the seconds since the start."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SECONDS_BETWEEN_SIGNS_OF_LIFE = 10


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

    @contextmanager
    def signs_of_life(self, describe: Callable[[float], str]) -> Iterator[None]:
        """Prints a line every 10 s while the block runs; `describe` gets the block's seconds."""
        started = self.elapsed
        done = threading.Event()

        def report() -> None:
            while not done.wait(_SECONDS_BETWEEN_SIGNS_OF_LIFE):
                self(describe(self.elapsed - started))

        threading.Thread(target=report, daemon=True).start()
        try:
            yield
        finally:
            done.set()
