"""`python -m airflow_kubernetes COMMAND`: see cli/main.py."""

import signal
import sys

from .cli.main import main

if __name__ == "__main__":
    # A CI job that is cancelled ends as after Ctrl-C: with what it began undone or complete.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
