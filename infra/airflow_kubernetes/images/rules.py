"""Cross-field rules about images."""

from collections.abc import Iterator

from ..registry.reference import Reference, RegistryError
from ..settings import names
from ..settings.problems import Fault
from ..settings.schema import Settings
from . import bases


def problems(settings: Settings) -> Iterator[Fault]:
    """Path and message of every contradiction."""
    images = settings.images
    if (message := bases.misfit(images.airflow)) is not None:
        yield ("images", "airflow", "python"), message
    try:
        canonical = Reference.parse(f"{images.registry}/x").name
        if canonical != f"{images.registry}/x":
            yield ("images", "registry"), f"write it as {canonical.removesuffix('/x')}"
    except RegistryError as error:
        yield ("images", "registry"), str(error)
    builder = images.builder
    if builder.driver is not None and builder.name == "default":
        yield (
            ("images", "builder", "name"),
            "default is Docker's own builder, which cannot be created; use another name",
        )
    if builder.driver == "kubernetes" and (problem := names.label(builder.name)) is not None:
        yield (
            ("images", "builder", "name"),
            f"{problem}: the driver kubernetes makes a Deployment of this name",
        )
    if (builder.driver == "remote") != (builder.endpoint is not None):
        yield (
            ("images", "builder", "endpoint"),
            "is for images.builder.driver: remote, which requires it; set both, or neither",
        )


def warnings(settings: Settings) -> Iterator[str]:
    """A message about a base image that gets no security updates."""
    base = bases.BASES[settings.images.airflow.base]
    if base.end_of_life and "{base}" in settings.images.python_base_image:
        yield (
            f"images.airflow.base: {base.name} has had no security update since "
            f"{base.end_of_life}, and scanners do not report its flaws; use bookworm or trixie"
        )
