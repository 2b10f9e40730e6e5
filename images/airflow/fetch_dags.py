"""Fetch DAG code before the DAG processor starts, and say why if that cannot be done.

The DAG processor itself only logs that a repository cannot be reached, again and again, and counts
as healthy with no DAG at all. What is fetched here is on a volume, so it is not fetched twice.
"""

import sys
import time

from airflow.dag_processing.bundles.manager import DagBundlesManager


def main() -> None:
    """Initialise every bundle; exit with a message about the first that has no code."""
    for bundle in DagBundlesManager().get_all_dag_bundles():
        started = time.monotonic()
        try:
            bundle.initialize()
        except Exception as error:
            # What git itself says is in the cause of the provider's own error.
            reason = error.__cause__ or error
            sys.exit(
                f"{bundle!r} cannot be fetched. Check repository, ref and Secret in "
                f"airflow.dags.git: {reason}"
            )
        if not bundle.path.is_dir():
            sys.exit(
                f"{bundle!r}: the repository has no such folder; check airflow.dags.git.folder"
            )
        print(f"{bundle!r}: fetched in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
