"""Cross-field rules about the message broker, for executors that use one."""

from collections.abc import Iterator

from ..settings.problems import Fault
from ..settings.schema import Settings


def problems(settings: Settings) -> Iterator[Fault]:
    """Path and message of every contradiction."""
    broker = settings.broker
    if broker.mode == "external" and broker.external.secret is None:
        yield ("broker", "external", "secret"), "must be set, because broker.mode is external"
