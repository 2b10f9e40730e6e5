"""Types of values: each text with its form in words, as a pattern or a check; base of sections."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from . import addresses, cron, git, image_names, names, quantities, texts

LONGEST = 4096
"""Characters of a text that is checked, so that no check takes time. None of them may be longer
elsewhere: a path has 4096 (Linux: PATH_MAX)."""

FORMS: dict[str, str] = {}
"""What a text that matches the pattern is, in words for error messages."""


def _form(pattern: str, words: str) -> Any:
    FORMS[pattern] = words
    return Field(pattern=pattern)


def _checked(problem: Callable[[str], str | None]) -> AfterValidator:
    """Refuse a text of which `problem` says, in words, what it should be."""

    def check(text: str) -> str:
        long = f"should have at most {LONGEST} characters" if len(text) > LONGEST else None
        if (message := long or problem(text)) is not None:
            raise PydanticCustomError("text", "{message}", {"message": message})
        return text

    return AfterValidator(check)


def _distinct(items: list[str]) -> list[str]:
    (item, times), *_ = Counter(items).most_common(1) or [("", 0)]
    if times > 1:
        raise PydanticCustomError("twice", "has {item} more than once", {"item": item})
    return items


DISTINCT = AfterValidator(_distinct)
"""Of a list of texts: none is in it twice."""

Name = Annotated[str, _checked(names.label)]
"""A DNS label."""

Namespace = Annotated[str, _checked(names.namespace)]

ObjectName = Annotated[str, _checked(names.subdomain)]
"""A DNS subdomain: the name of a Secret, a ConfigMap, a claim."""

StorageClass = Annotated[str, _checked(lambda text: names.subdomain(text) if text else None)]
"""The name of a storage class; an empty text means volumes that have none."""

ShortName = Annotated[str, _checked(partial(names.label, most=31))]
"""Part of a Deployment's name. After a prefix of up to 15 characters, Kubernetes adds 17 to the
names of its pods without cutting them to 63; images/airflow/task_location.py depends on that."""

BundleName = Annotated[str, _checked(partial(names.label, most=24))]
"""The name of a DAG bundle, and part of a Deployment's: as above, after a prefix of 22."""

Cpu = Annotated[str, _checked(quantities.cpu)]
Memory = Annotated[str, _checked(quantities.memory)]
Storage = Annotated[str, _checked(quantities.storage)]
"""Kubernetes quantities: of CPU, of memory, of a volume."""

DatabaseName = Annotated[
    str,
    _form(
        r"^[A-Za-z_][A-Za-z0-9_]{0,63}$", "up to 64 letters, digits and _, without a digit first"
    ),
]
"""A name that MySQL takes without quotes."""

DatabaseUser = Annotated[
    str,
    _form(
        r"^[A-Za-z_][A-Za-z0-9_]{0,31}$", "up to 32 letters, digits and _, without a digit first"
    ),
]

BufferPool = Annotated[
    str, _form(r"^[1-9][0-9]{0,6}[MG]$", "a whole number of M or G, such as 512M")
]

Url = Annotated[str, _checked(addresses.url)]

Registry = Annotated[str, _checked(image_names.registry)]

Host = Annotated[str, _checked(addresses.host)]

ImageName = Annotated[str, _checked(image_names.image)]

ImageTemplate = Annotated[str, _checked(image_names.template)]

DebianRelease = Literal["buster", "bookworm", "trixie"]

PythonVersion = Annotated[
    str,
    _form(r"^3\.1[0-4]$", 'a Python version without its patch number, one of "3.10" to "3.14"'),
]
"""A string, because YAML reads 3.10 as the number 3.1; those that images are based on."""

DebianPackage = Annotated[
    str, _form(r"^[a-z0-9][a-z0-9+.-]*[a-z0-9+.]$", "the name of a Debian package")
]
"""With a hyphen at its end, apt would remove the package."""

Repository = Annotated[str, _checked(addresses.repository)]

Folder = Annotated[str, _checked(git.folder)]

DagFile = Annotated[
    str,
    _form(
        r"^dags(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$",
        "a file of a folder of DAGs, such as dags/sales/requirements.in",
    ),
]

Reference = Annotated[str, _checked(git.ref)]

Schedule = Annotated[str, _checked(cron.problem)]

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

PersonName = Annotated[str, _checked(partial(texts.argument, most=256))]

Username = Annotated[str, _checked(texts.username)]

Email = Annotated[str, _checked(texts.email)]

MountPath = Annotated[str, _checked(texts.mount_path)]

SubPath = Annotated[str, _checked(texts.sub_path)]
"""A file or folder in a volume."""

HttpPath = Annotated[str, _checked(texts.http_path)]

Queue = Annotated[
    str,
    _form(
        r"^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,255}$",
        "up to 256 letters, digits, _, . and -, without - first",
    ),
]
"""The name of a Celery queue; the worker's command line joins them with commas, and the database
has 256 characters for it."""

Variable = Annotated[
    str, _form(r"^[A-Za-z_][A-Za-z0-9_]*$", "letters, digits and _, without a digit first")
]
"""The name of an environment variable. Kubernetes accepts others, and the shell that starts
Airflow (images/airflow/entrypoint.sh) drops them."""

ConfigurationKey = Annotated[
    str,
    _form(
        r"^[A-Za-z][A-Za-z0-9_.-]{0,99}$", "up to 100 letters, digits, _, . and -, a letter first"
    ),
]
"""A section or option of airflow.cfg: both make up the key of a ConfigMap, which has 253."""

DataKey = Annotated[str, _checked(names.data_key)]
"""The key of a value in a Secret or ConfigMap."""

Ip = Annotated[str, _checked(addresses.ip)]

Subdomain = Annotated[str, _checked(names.subdomain)]

DnsSearch = Annotated[str, _checked(names.search_domain)]

CsiDriver = Annotated[str, _checked(names.csi_driver)]

TAGS = ("(text)", "(source)")
"""Of the types that a variable's value may have, where pydantic names them in paths."""

AnnotationKey = Annotated[str, _checked(lambda text: names.label_key(text.lower()))]

LabelKey = Annotated[str, _checked(names.label_key)]

TaintKey = Annotated[str, _checked(names.taint_key)]

LabelValue = Annotated[str, _checked(names.label_value)]

BuilderName = Annotated[
    str, _form(r"^[a-zA-Z][a-zA-Z0-9._-]*$", "letters, digits, ., _ and -, with a letter first")
]
"""The name of a builder of docker buildx."""

Endpoint = Annotated[str, _checked(addresses.endpoint)]


class Section(BaseModel):
    """Base of all sections: strict types, no unknown keys, immutable."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
    )
