"""Fetch DAG code before the DAG processor starts, and say why if that cannot be done.

    python fetch_dags.py [BUNDLE …]

Without names, all bundles are fetched.

The DAG processor itself only logs that a repository cannot be reached, again and again, and counts
as healthy with no DAG at all. What is fetched here is on a volume, so it is not fetched twice.

Exit codes: 0 fetched, 1 not fetched, EX_CONFIG (78) not fetched and no restart will help.
"""

import os
import re
import sys
import time
from typing import Any, NoReturn

from airflow.dag_processing.bundles.manager import DagBundlesManager

MISCONFIGURED = re.compile(
    "Authentication failed|could not read Username|Permission denied|Host key verification failed"
    "|Could not resolve host|not found|does not exist|does not appear to be a git repository"
    "|did not match any file|couldn't find remote ref",
    re.IGNORECASE,
)
"""In git's words: what is wrong is in the values or in the Secret."""

RETRY_SECONDS = 5
"""Before such an answer is believed: the cluster's DNS or the server may have been starting."""


def initialize(bundle: Any) -> str:
    """Fetch a bundle; return why that failed, or an empty string."""
    try:
        bundle.initialize()
    except Exception as error:
        # What git itself says is in the cause of the provider's own error.
        cause = error.__cause__ or error
        return str(cause) or repr(cause)
    return ""


def give_up(message: str, code: int = os.EX_CONFIG) -> NoReturn:
    """End with a message."""
    print(message, file=sys.stderr)
    sys.exit(code)


def main() -> None:
    """Initialise the bundles; exit with a message about the first that has no code."""
    names = sys.argv[1:]
    for bundle in DagBundlesManager().get_all_dag_bundles():
        if names and bundle.name not in names:
            continue
        started = time.monotonic()
        reason = initialize(bundle)
        if MISCONFIGURED.search(reason):
            time.sleep(RETRY_SECONDS)
            reason = initialize(bundle)
        if reason:
            give_up(
                f"{bundle!r} cannot be fetched. Check its repository, ref and Secret in "
                f"airflow.dags: {reason}",
                os.EX_CONFIG if MISCONFIGURED.search(reason) else 1,
            )
        if not bundle.path.is_dir():
            give_up(f"{bundle!r}: the repository has no such folder; check it in airflow.dags")
        print(f"{bundle!r}: fetched in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
