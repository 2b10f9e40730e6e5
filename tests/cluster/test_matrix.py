"""Every executor on both releases (`make test-all`): places, logs, a killed scheduler.

Each release has one deployment, whose executor is switched in place.
"""

from collections.abc import Iterator

import pytest

from .conftest import Deployment, in_namespace
from .scenarios import (
    PLACES,
    check_nothing_is_left_over,
    check_places,
    check_scheduler_killed,
    check_warm_shutdown,
    on,
)

pytestmark = [pytest.mark.cluster, pytest.mark.long]


@pytest.fixture(scope="module", params=["2.11.2", "3.3.2"])
def line(sandbox: None, request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """An environment of one release."""
    deployment = on(in_namespace("airflow-matrix", 30089), version=request.param)
    deployment.remove(wait=True)
    yield deployment
    deployment.remove()


@pytest.mark.parametrize("executor", PLACES)
def test_executor(line: Deployment, executor: str) -> None:
    airflow = on(line, executor=executor)
    output = airflow.make("up")
    assert f"({executor})" in output
    check_nothing_is_left_over(airflow)
    check_places(airflow, executor, f"queues-{executor}")
    check_scheduler_killed(airflow, f"killed-{executor}")
    if PLACES[executor][0] == "worker":
        check_warm_shutdown(airflow, f"warm-{executor}")
