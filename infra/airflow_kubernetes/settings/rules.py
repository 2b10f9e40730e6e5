"""Cross-field rules about settings of several sections."""

from collections.abc import Iterator

from .fields import Section
from .marks import SANDBOX
from .problems import Fault, Path
from .quantities import amount
from .schema import Quantities, Resources, Settings


def problems(settings: Settings, environment: str) -> Iterator[Fault]:
    """Path and message of every contradiction."""
    yield from _requests_above_limits(settings, ())
    if settings.engine == "auto" and environment != SANDBOX:
        yield (
            ("engine",),
            "auto is for the sandbox; a real environment names its engine, pulumi or kubectl",
        )


def _requests_above_limits(section: Section, path: Path) -> Iterator[Fault]:
    """Kubernetes refuses a container that requests more than its limit."""
    if isinstance(section, Resources):
        for key in Quantities.model_fields:
            request, limit = getattr(section.requests, key), getattr(section.limits, key)
            if amount(request) > amount(limit):
                yield (
                    (*path, "requests", key),
                    f"the request {request} is more than the limit {limit}; raise the limit, or "
                    "lower the request",
                )
        return
    for name, value in section:
        key = type(section).model_fields[name].alias or name
        named = isinstance(value, dict)
        children = (
            {(key, item): child for item, child in value.items()} if named else {(key,): value}
        )
        for part, child in children.items():
            if isinstance(child, Section):
                yield from _requests_above_limits(child, (*path, *part))
