"""Parts of Kubernetes objects that several sections contain: resources, claims, volumes."""

from typing import Annotated, Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from ..fields import Label, LabelValue, MountPath, Name, Quantity, Section, Text
from ..marks import CAPACITY, LOCATION


class Quantities(Section):
    """CPU in cores ("250m"), memory in bytes ("512Mi")."""

    cpu: Quantity
    memory: Quantity


class Resources(Section):
    """A container's requests and limits, as in a Kubernetes container spec."""

    requests: Quantities
    limits: Quantities


class Claim(Section):
    """A PersistentVolumeClaim; storage class None is the cluster's default class."""

    size: Annotated[Quantity, CAPACITY]
    storage_class: Annotated[Name | None, LOCATION]


class Toleration(Section):
    """A toleration of a Kubernetes pod spec."""

    key: Text | None = None
    operator: Literal["Exists", "Equal"] = "Equal"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = None


class Volume(Section):
    """A volume with exactly one source; `empty_dir` is its size limit."""

    name: Name
    mount_path: MountPath
    read_only: bool = True
    config_map: Name | None = None
    secret: Name | None = None
    claim: Name | None = None
    empty_dir: Quantity | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "Volume":
        sources = (self.config_map, self.secret, self.claim, self.empty_dir)
        if sum(source is not None for source in sources) != 1:
            raise PydanticCustomError(
                "sources", "should have exactly one of configMap, secret, claim, emptyDir"
            )
        return self


NodeSelector = dict[Label, LabelValue]

Tolerations = list[Toleration]
