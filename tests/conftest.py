"""Which tests run where: in which process, and with the Pulumi CLI or without it."""

import os
import shutil
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

SHARED = "tests/cluster/shared_airflow"
TOGETHER = {
    f"{SHARED}/test_airflow_dags.py": f"{SHARED}/test_airflow.py",
    f"{SHARED}/test_airflow_launched_pods.py": f"{SHARED}/test_airflow.py",
    f"{SHARED}/test_backup.py": f"{SHARED}/test_airflow_executors.py",
    f"{SHARED}/test_backup_faults.py": f"{SHARED}/test_airflow_executors.py",
}
"""Modules that go on with the Airflow of another one: each process makes one (`airflow`)."""


class Modules(LoadScopeScheduling):  # type: ignore[misc]  # it ships no types
    """Gives whole modules to the processes, in their order: a module's tests share fixtures."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return TOGETHER.get(module, module)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Modules:
    """Of `pytest --numprocesses 2`."""
    return Modules(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without the CLI a test that needs it is skipped; with REQUIRE_PULUMI=1 it fails."""
    if item.get_closest_marker("pulumi") and shutil.which("pulumi") is None:
        if os.environ.get("REQUIRE_PULUMI") == "1":
            pytest.fail("the Pulumi CLI is not on PATH, and REQUIRE_PULUMI is 1")
        pytest.skip("needs the Pulumi CLI, which is not on PATH")
