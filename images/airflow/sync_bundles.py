"""Write the configured DAG bundles to the database, and which of them are gone.

A DAG processor of some bundles alone takes none for gone: DAGs of a repository that is no longer
configured would stay. And two of them that begin at the same time would both insert new ones.
"""

import time

from airflow.dag_processing.bundles.manager import DagBundlesManager
from sqlalchemy.exc import DBAPIError

TRIES = 5


def main() -> None:
    """Write them; again, if another DAG processor does so now."""
    for last in (False,) * (TRIES - 1) + (True,):
        try:
            DagBundlesManager().sync_bundles_to_db()
            return
        except DBAPIError:
            if last:
                raise
            time.sleep(1)


if __name__ == "__main__":
    main()
