"""Which tests run where: in which process, and with the Pulumi CLI or without it."""

import os
import shutil

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A module's tests stay together, in order: they share fixtures and build on each other.

    For `pytest --numprocesses 2 --dist loadgroup`.
    """
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without the CLI a test that needs it is skipped; with REQUIRE_PULUMI=1 it fails."""
    if item.get_closest_marker("pulumi") and shutil.which("pulumi") is None:
        if os.environ.get("REQUIRE_PULUMI") == "1":
            pytest.fail("the Pulumi CLI is not on PATH, and REQUIRE_PULUMI is 1")
        pytest.skip("needs the Pulumi CLI, which is not on PATH")
