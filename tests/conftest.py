"""How tests are spread over processes (`pytest --numprocesses 2 --dist loadgroup`)."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A module's tests stay together, in order: they share fixtures and build on each other."""
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
