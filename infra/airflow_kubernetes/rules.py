"""Cross-field validation: settings that are valid on their own but contradict each other.

Each rule lives in the room of its subject; this module lists them.
"""

from collections.abc import Iterator

from .airflow import rules as airflow
from .database import rules as database
from .images import rules as images
from .settings import rules as general
from .settings.problems import Fault
from .settings.schema import Settings


def problems(settings: Settings, environment: str) -> Iterator[Fault]:
    """Path and message, with the remedy, of every contradiction."""
    yield from general.problems(settings, environment)
    yield from images.problems(settings)
    yield from database.problems(settings)
    yield from airflow.problems(settings)


def warnings(settings: Settings) -> Iterator[str]:
    """Messages about settings that work, but perhaps not as expected."""
    yield from images.warnings(settings)
    yield from airflow.warnings(settings)
