"""`images`: where and how images are built; also image.yaml of a task image."""

from typing import Annotated, Literal

from pydantic import Field

from ..fields import (
    DISTINCT,
    BuilderName,
    DagFile,
    DebianPackage,
    DebianRelease,
    Endpoint,
    ImageTemplate,
    ObjectName,
    PythonVersion,
    Registry,
    Section,
)
from ..marks import LOCATION, SANDBOX, STAND_IN, UNIQUE_LOCATION, PerEnvironment


class AirflowImage(Section):
    """The Airflow image: Debian release and Python of its base, and additional Debian packages."""

    base: DebianRelease
    python: PythonVersion
    system_packages: list[DebianPackage]


class TaskImage(Section):
    """images/tasks/<name>/image.yaml; keys that it omits are those of the Airflow image.

    `requirements`: the file that make lock reads instead of the requirements.in next to it.
    """

    base: DebianRelease | None = None
    python: PythonVersion | None = None
    system_packages: list[DebianPackage] = Field(default_factory=list)
    requirements: DagFile | None = None


class Builder(Section):
    """The buildx builder. With a driver it is created where it does not exist yet."""

    name: Annotated[BuilderName, LOCATION]
    driver: Annotated[Literal["docker-container", "kubernetes", "remote"] | None, LOCATION]
    endpoint: Annotated[Endpoint | None, LOCATION]


class Images(Section):
    """How images are built, and the registry that stores them.

    `login`: the registry requires a login; a Secret for pulling is created from it. `pull_secret`:
    the name of an existing Secret instead. `python_base_image`: the template of the base image's
    name, with {python} for its Python version and {base} for its Debian release.
    """

    registry: Annotated[Registry, UNIQUE_LOCATION]
    build: Annotated[
        bool,
        PerEnvironment("one environment builds; the others run its images, by digest", "release"),
    ]
    builder: Builder
    cache: Annotated[bool, LOCATION]
    platforms: Annotated[
        Annotated[list[Literal["linux/amd64", "linux/arm64"]], Field(min_length=1), DISTINCT],
        PerEnvironment("the sandbox is one machine of one architecture", "release", only=SANDBOX),
    ]
    compression: Annotated[Literal["zstd", "gzip"], LOCATION]
    lock: Annotated[
        Literal["committed", "cache"],
        PerEnvironment(
            "stand-in images must not enter the committed lock", "release", only=SANDBOX
        ),
    ]
    login: Annotated[bool, LOCATION]
    pull_secret: Annotated[ObjectName | None, LOCATION]
    python_base_image: Annotated[ImageTemplate, STAND_IN]
    airflow: AirflowImage
