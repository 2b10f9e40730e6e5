"""Cross-field rules about settings of several sections."""

from collections.abc import Iterator

from .marks import SANDBOX
from .problems import Fault
from .quantities import amount
from .schema import Quantities, Resources, Settings
from .sections import sections


def problems(settings: Settings, environment: str) -> Iterator[Fault]:
    """Path and message of every contradiction."""
    yield from _requests_above_limits(settings)
    if settings.engine == "auto" and environment != SANDBOX:
        yield (
            ("engine",),
            "auto is for the sandbox; a real environment names its engine, pulumi or kubectl",
        )


def _requests_above_limits(settings: Settings) -> Iterator[Fault]:
    """Kubernetes refuses a container that requests more than its limit."""
    for path, resources in sections(Resources, settings):
        for key in Quantities.model_fields:
            request, limit = getattr(resources.requests, key), getattr(resources.limits, key)
            if amount(request) > amount(limit):
                yield (
                    (*path, "requests", key),
                    f"the request {request} is more than the limit {limit}; raise the limit, or "
                    "lower the request",
                )
