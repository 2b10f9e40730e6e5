"""The Debian releases that images are based on, and the official Python images of each."""

from dataclasses import dataclass
from types import MappingProxyType

from ..settings.schema import AirflowImage, Settings
from . import lock


@dataclass(frozen=True)
class Base:
    """A Debian release: the Python series of its official images, and the end of its support.

    Source: the tags of docker-library/python. Buster's were last built in 2023, with 3.11.4.
    """

    name: str
    pythons: tuple[str, ...]
    end_of_life: str | None = None


_MAINTAINED = ("3.10", "3.11", "3.12", "3.13", "3.14")

_ROWS = (
    Base("buster", ("3.10", "3.11"), end_of_life="2024-06-30"),
    Base("bookworm", _MAINTAINED),
    Base("trixie", _MAINTAINED),
)
BASES = MappingProxyType({row.name: row for row in _ROWS})


def name(settings: Settings, base: str, python: str) -> str:
    """The base image of a Debian release and a Python series."""
    return settings.images.python_base_image.format(base=base, python=python)


def pinned(settings: Settings, base: str, python: str) -> str:
    """`name@digest` if the lock knows the digest, else the bare name (see `build.pin_bases`)."""
    image = name(settings, base, python)
    digest = lock.read(lock.path(settings)).bases.get(image)
    return f"{image}@{digest}" if digest else image


def misfit(image: AirflowImage) -> str | None:
    """Why there is no such base image, and the remedy; None if there is."""
    pythons = BASES[image.base].pythons
    if image.python in pythons:
        return None
    others = [base.name for base in BASES.values() if image.python in base.pythons]
    remedy = f"; or base: {' or '.join(others)}" if others else ""
    return f"{image.base} has no Python {image.python}; take {' or '.join(pythons)}{remedy}"
