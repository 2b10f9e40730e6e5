"""`images`: where and how images are built; also image.yaml of a task image."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

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
    """Python's version, without its patch number"""
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


def _different(names: list[str]) -> list[str]:
    if len({*names}) < len(names):
        raise PydanticCustomError("twice", "should have each name once")
    return names


class Images(Section):
    """How images are built, and the registry that stores them.

    `login`: the registry requires a login; a Secret for pulling is created from it.
    `image_pull_secrets`: the names of existing Secrets instead. `python_base_image`: the template
    of the base image's name, with {python} for its Python version and {base} for its Debian
    release.
    """

    registry: Annotated[Registry, UNIQUE_LOCATION]
    """where images are pushed to and pulled from"""
    build: Annotated[
        bool,
        PerEnvironment("one environment builds; the others run its images, by digest", "release"),
    ]
    """whether this environment builds images, or runs those of the lock"""
    builder: Builder
    cache: Annotated[bool, LOCATION]
    platforms: Annotated[
        Annotated[list[Literal["linux/amd64", "linux/arm64"]], Field(min_length=1), DISTINCT],
        PerEnvironment("the sandbox is one machine of one architecture", "release", only=SANDBOX),
    ]
    """for which images are built"""
    compression: Annotated[Literal["zstd", "gzip"], LOCATION]
    lock: Annotated[
        Literal["committed", "cache"],
        PerEnvironment(
            "stand-in images must not enter the committed lock", "release", only=SANDBOX
        ),
    ]
    login: Annotated[bool, LOCATION]
    image_pull_secrets: Annotated[Annotated[list[ObjectName], AfterValidator(_different)], LOCATION]
    python_base_image: Annotated[ImageTemplate, STAND_IN]
    """the template of the base image's name"""
    airflow: AirflowImage
