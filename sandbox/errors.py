"""The one exception that the command line turns into a message instead of a traceback."""

from __future__ import annotations


class SandboxError(Exception):
    """Something is wrong; the message says what, where, and the remedy."""
