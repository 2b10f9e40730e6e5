"""What commands tell while they work."""

import sys


def say(text: str) -> None:
    """Tell how far it is; standard output is for results."""
    print(text, file=sys.stderr, flush=True)
