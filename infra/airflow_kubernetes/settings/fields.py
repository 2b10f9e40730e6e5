"""What the schema is made of: base of sections, types of values, marks with their reasons."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel

from .marks import SANDBOX, PerEnvironment

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
"""A DNS label, as Kubernetes wants it for namespaces and most object names."""

ShortName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,29}[a-z0-9])?$")]
"""The part of a Deployment's name that the values choose. With a prefix of up to 15 characters and
31 of these, Kubernetes adds a ReplicaSet's hash and 5 characters to a pod's name without cutting
it to 63: images/airflow/task_location.py recognises pods by them."""

Quantity = Annotated[
    str,
    StringConstraints(pattern=r"^([0-9]+|[0-9]+\.[0-9]+)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"),
]
"""A Kubernetes quantity as a string: "500m" (CPU), "1Gi" (bytes)."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,31}$")]
"""A MySQL user or database name that needs no quoting (MySQL limits users to 32 characters)."""

Registry = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9._-]+)*$")
]
"""Host, port and folder of a registry, without a scheme: "ghcr.io/team"."""

Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$")]

ImageName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-zA-Z0-9._:/@-]*$")]

ImageTemplate = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9]([a-zA-Z0-9._:/-]|\{base\})*\{python\}([a-zA-Z0-9._-]|\{base\})*$"
    ),
]
"""An image's name by Debian release and Python version: "python:{python}-slim-{base}"."""

DebianRelease = Literal["buster", "bookworm", "trixie"]

PythonVersion = Annotated[str, StringConstraints(pattern=r"^3\.[0-9]{1,2}$")]
"""A Python series: "3.11", in quotes, for YAML takes 3.10 for the number 3.1."""

DebianPackage = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9+.-]+$")]

Repository = Annotated[str, StringConstraints(pattern=r"^(https?://|ssh://|[\w.-]+@[\w.-]+:)\S+$")]
"""The address of a Git repository: https, http, ssh, or ssh's short form git@host:path."""

Folder = Annotated[str, StringConstraints(pattern=r"^(\.|[\w-][\w.-]*(/[\w-][\w.-]*)*)$")]
"""A folder inside of another one, which it cannot leave; `.` is that one itself."""

Reference = Annotated[str, StringConstraints(pattern=r"^\w[\w./+-]*$")]
"""A branch, tag or commit of a Git repository."""

Text = Annotated[str, StringConstraints(min_length=1)]

Queue = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$")]
"""A Celery queue; the worker's command line joins them with commas."""

Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
"""The name of an environment variable."""

Label = Annotated[
    str,
    StringConstraints(
        pattern=r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?"
        r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$"
    ),
]
"""The key of a Kubernetes label: "kubernetes.io/arch"."""

LabelValue = Annotated[
    str, StringConstraints(pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$")
]

BuilderName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z][a-zA-Z0-9._-]*$")]
"""A builder of docker buildx, as it wants them named."""

Endpoint = Annotated[str, StringConstraints(pattern=r"^[a-z-]+://\S+$")]
"""Where buildkitd listens: "tcp://buildkit:1234"."""

STAND_IN = PerEnvironment(
    "the sandbox has no image registry to pull from and builds stand-ins itself",
    owner="platform",
    only=SANDBOX,
)
CAPACITY = PerEnvironment(
    "load differs between environments; what runs does not", owner="platform", times=64
)
PLACE = PerEnvironment(
    "each environment is its own place: cluster, registry, address", owner="platform"
)
OWN_PLACE = replace(PLACE, distinct=True)


class Section(BaseModel):
    """Base of all sections: strict types, no unknown keys, immutable."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
    )
