"""An Airflow that several modules use one after the other.

It goes with the last of them: next to other tests it would only take their time.
"""

import os
from collections.abc import Iterator

import pytest

from ..conftest import PORT, Deployment, in_namespace


@pytest.fixture(scope="package")
def airflow(sandbox: None) -> Iterator[Deployment]:
    """The place of an Airflow that several modules use, so that each process makes it once."""
    process = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    deployment = in_namespace(f"airflow-test-{process}", PORT + int(process))
    deployment.remove(wait=True)
    yield deployment
    deployment.remove()
