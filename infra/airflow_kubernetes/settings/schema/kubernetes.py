"""Parts of Kubernetes objects that several sections contain: resources, claims, volumes."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ..fields import (
    Cpu,
    LabelKey,
    LabelValue,
    Memory,
    MountPath,
    Name,
    ObjectName,
    Section,
    Storage,
    StorageClass,
    TaintKey,
)
from ..marks import CAPACITY, LOCATION


class Quantities(Section):
    """CPU in cores ("250m"), memory in bytes ("512Mi")."""

    cpu: Cpu
    memory: Memory


class Resources(Section):
    """A container's requests and limits, as in a Kubernetes container spec."""

    requests: Quantities
    limits: Quantities


class Claim(Section):
    """A PersistentVolumeClaim. `storage_class` None is the cluster's default class, an empty text
    is a volume without a class.
    """

    size: Annotated[Storage, CAPACITY]
    storage_class: Annotated[StorageClass | None, LOCATION]


class Toleration(Section):
    """A toleration of a Kubernetes pod spec: without a key, of all taints."""

    key: TaintKey | None = None
    operator: Literal["Exists", "Equal"] = "Equal"
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: Annotated[int, Field(ge=0, lt=2**63)] | None = None

    @model_validator(mode="after")
    def _possible(self) -> "Toleration":
        if not self.key and self.operator != "Exists":
            raise PydanticCustomError(
                "key", "should have a key; or operator: Exists, which tolerates every taint"
            )
        if self.operator == "Exists" and self.value:
            raise PydanticCustomError(
                "value", "should have no value with operator: Exists, which tolerates every value"
            )
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise PydanticCustomError(
                "seconds", "should have tolerationSeconds only with effect: NoExecute"
            )
        return self


class Volume(Section):
    """A volume with exactly one source; `empty_dir` is its size limit."""

    name: Name
    mount_path: MountPath
    read_only: bool = True
    config_map: ObjectName | None = None
    secret: ObjectName | None = None
    claim: ObjectName | None = None
    empty_dir: Storage | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "Volume":
        sources = (self.config_map, self.secret, self.claim, self.empty_dir)
        if sum(source is not None for source in sources) != 1:
            raise PydanticCustomError(
                "sources", "should have exactly one of configMap, secret, claim, emptyDir"
            )
        return self


NodeSelector = dict[LabelKey, LabelValue]

Tolerations = list[Toleration]
