"""Progress of a command, on standard error; standard output is for results."""

import os
import sys
import time


def say(text: str) -> None:
    """Print a line at once."""
    print(text, file=sys.stderr, flush=True)


class Stopwatch:
    """Progress lines with the seconds since it was made."""

    def __init__(self) -> None:
        self._started, self._last = time.monotonic(), ""

    @property
    def seconds(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._started

    def say(self, text: str) -> None:
        """Print the text with the seconds, unless it is the same as the last one."""
        if text != self._last:
            say(f"  {self.seconds:4.0f} s  {text}")
            self._last = text


def make_variables(environment: str) -> str:
    """The variables by which make works on the environment again: `ENV=dev`.

    For the sandbox's values on another cluster that is `ENV=sandbox ON=kind`.
    """
    on = os.environ.get("MAKE_ON")
    return f"ENV={environment} ON={on}" if on else f"ENV={environment}"


def pasteable(command: str) -> str:
    """The command as it works in the shell that make was called in.

    The sandbox's variables are set inside make alone; it names the command that sets them.
    """
    variables = os.environ.get("SANDBOX_SHELL")
    return f"{variables} && {command}" if variables else command
