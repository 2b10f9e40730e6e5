"""Base images for both platforms, for tests that build for another machine."""

import pytest

from sandbox import bases
from sandbox.progress import Progress

BOTH_PLATFORMS = f"images.pythonBaseImage={bases.REPOSITORY}/multi-platform/python:{{python}}"
"""The values that build on them; `make up` has those of this machine's platform alone."""


@pytest.fixture(scope="module", autouse=True)
def both_platforms(sandbox: None) -> None:
    """Make them, unless the registry has them, in a module that imports this."""
    bases.ensure(Progress(), bases.MULTI_PLATFORM)
