"""Types of values, each text with its form as a pattern and in words; base class of sections."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from . import cron

FORMS: dict[str, str] = {}
"""What a text that matches the pattern is, in words for error messages."""


def _form(pattern: str, words: str) -> Any:
    FORMS[pattern] = words
    return Field(pattern=pattern)


Name = Annotated[
    str,
    _form(
        r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
        "up to 63 characters of a-z, 0-9 and -, without - at an end",
    ),
]
"""A DNS label: the name of a namespace and of most Kubernetes objects."""

ShortName = Annotated[
    str,
    _form(
        r"^[a-z0-9]([-a-z0-9]{0,29}[a-z0-9])?$",
        "up to 31 characters of a-z, 0-9 and -, without - at an end",
    ),
]
"""Part of a Deployment's name. After a prefix of up to 15 characters, Kubernetes adds 17 to the
names of its pods without cutting them to 63; images/airflow/task_location.py depends on that."""

Quantity = Annotated[
    str,
    _form(
        r"^([0-9]+|[0-9]+\.[0-9]+)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$", 'a quantity, such as "500m" or "1Gi"'
    ),
]
"""A Kubernetes quantity."""

Identifier = Annotated[
    str,
    _form(
        r"^[A-Za-z_][A-Za-z0-9_]{0,31}$", "up to 32 letters, digits and _, without a digit first"
    ),
]
"""A MySQL user or database name that needs no quoting (MySQL limits users to 32 characters)."""

BufferPool = Annotated[str, _form(r"^[0-9]+[MG]$", "a whole number of M or G, such as 512M")]

Url = Annotated[
    str,
    _form(
        r"^https?://[^/\s@]+(/.*[^/])?$",
        "an http or https address without a login, and without a slash at its end",
    ),
]

Registry = Annotated[
    str,
    _form(
        r"^[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9._-]+)*$",
        "a registry without a scheme, such as ghcr.io/team",
    ),
]

Host = Annotated[str, _form(r"^[A-Za-z0-9][A-Za-z0-9.-]*$", "a host name or an IPv4 address")]

ImageName = Annotated[
    str, _form(r"^[a-z0-9][a-zA-Z0-9._:/@-]*$", "the name of an image, such as mysql:8.4")
]

ImageTemplate = Annotated[
    str,
    _form(
        r"^[a-z0-9]([a-zA-Z0-9._:/-]|\{base\})*\{python\}([a-zA-Z0-9._-]|\{base\})*$",
        "the name of an image with {python}, such as python:{python}-slim-{base}",
    ),
]

DebianRelease = Literal["buster", "bookworm", "trixie"]

PythonVersion = Annotated[
    str, _form(r"^3\.[0-9]{1,2}$", 'a Python version without its patch number, such as "3.11"')
]
"""A string, because YAML reads 3.10 as the number 3.1."""

DebianPackage = Annotated[str, _form(r"^[a-z0-9][a-z0-9+.-]+$", "the name of a Debian package")]

Repository = Annotated[
    str,
    _form(
        r"^(https?://|ssh://|[\w.-]+@[\w.-]+:)\S+$",
        "the address of a Git repository: https://…, ssh://… or git@host:path",
    ),
]

Folder = Annotated[
    str,
    _form(
        r"^(\.|[\w-][\w.-]*(/[\w-][\w.-]*)*)$",
        "a path inside the repository, such as dags, or . for all of it",
    ),
]

Reference = Annotated[str, _form(r"^\w[\w./+-]*$", "a branch, tag or commit")]

Schedule = Annotated[str, AfterValidator(cron.checked)]

Text = Annotated[str, Field(min_length=1)]

MountPath = Annotated[str, _form(r"^/", "an absolute path, such as /data")]

Queue = Annotated[str, _form(r"^[A-Za-z0-9_.-]+$", "letters, digits, _, . and -")]
"""The name of a Celery queue; the worker's command line joins them with commas."""

Variable = Annotated[
    str, _form(r"^[A-Za-z_][A-Za-z0-9_]*$", "letters, digits and _, without a digit first")
]
"""The name of an environment variable."""

Label = Annotated[
    str,
    _form(
        r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?"
        r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$",
        "the key of a label, such as kubernetes.io/arch",
    ),
]

LabelValue = Annotated[
    str,
    _form(
        r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$",
        "the value of a label: up to 63 letters, digits, _, . and -",
    ),
]

BuilderName = Annotated[
    str, _form(r"^[a-zA-Z][a-zA-Z0-9._-]*$", "letters, digits, ., _ and -, with a letter first")
]
"""The name of a builder of docker buildx."""

Endpoint = Annotated[
    str, _form(r"^[a-z-]+://\S+$", "the address of buildkitd, such as tcp://buildkit:1234")
]


class Section(BaseModel):
    """Base of all sections: strict types, no unknown keys, immutable."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
    )
