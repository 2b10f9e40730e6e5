"""`images`: where and how images are built; and image.yaml of a task image."""

from typing import Annotated, Literal

from pydantic import Field

from ..fields import (
    OWN_PLACE,
    PLACE,
    STAND_IN,
    BuilderName,
    DebianPackage,
    DebianRelease,
    Endpoint,
    ImageTemplate,
    Name,
    PythonVersion,
    Registry,
    Section,
)
from ..marks import SANDBOX, PerEnvironment


class AirflowImage(Section):
    """The Airflow image: Debian release and Python of its base, and more Debian packages."""

    base: DebianRelease
    python: PythonVersion
    system_packages: list[DebianPackage]


class TaskImage(Section):
    """images/tasks/<name>/image.yaml; what it leaves out is as in the Airflow image."""

    base: DebianRelease | None = None
    python: PythonVersion | None = None
    system_packages: list[DebianPackage] = Field(default_factory=list)


class Builder(Section):
    """The buildx builder. With a driver it is made where it is not there yet."""

    name: Annotated[BuilderName, PLACE]
    driver: Annotated[Literal["docker-container", "kubernetes", "remote"] | None, PLACE]
    endpoint: Annotated[Endpoint | None, PLACE]


class Images(Section):
    """Where images are built and kept.

    With `login` a Secret for pulling is made of the login that builds use; `pull_secret` is one
    that exists. `python_base_image` is a template with {python} and {base} that names the base of
    a Debian release and a Python version.
    """

    registry: Annotated[Registry, OWN_PLACE]
    build: Annotated[
        bool,
        PerEnvironment(
            "one environment builds; the others run what it built, by digest", "release"
        ),
    ]
    builder: Builder
    cache: Annotated[bool, PLACE]
    platforms: Annotated[
        Annotated[list[Literal["linux/amd64", "linux/arm64"]], Field(min_length=1)],
        PerEnvironment("the sandbox is one machine of one architecture", "release", only=SANDBOX),
    ]
    compression: Annotated[Literal["zstd", "gzip"], PLACE]
    lock: Annotated[
        Literal["committed", "cache"],
        PerEnvironment(
            "stand-in images must not enter the committed lock", "release", only=SANDBOX
        ),
    ]
    login: Annotated[bool, PLACE]
    pull_secret: Annotated[Name | None, PLACE]
    python_base_image: Annotated[ImageTemplate, STAND_IN]
    airflow: AirflowImage
