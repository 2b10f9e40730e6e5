"""Parts of Kubernetes objects that several sections have: resources, claims, volumes."""

from typing import Annotated, Literal

from pydantic import StringConstraints, model_validator

from ..fields import CAPACITY, PLACE, Name, Quantity, Section, Text


class Quantities(Section):
    """CPU in cores ("250m"), memory in bytes ("512Mi")."""

    cpu: Quantity
    memory: Quantity


class Resources(Section):
    """A container's requests and limits, as in a Kubernetes container spec."""

    requests: Quantities
    limits: Quantities


class Claim(Section):
    """A PersistentVolumeClaim. `storageClass: null` takes the cluster's default class."""

    size: Annotated[Quantity, CAPACITY]
    storage_class: Annotated[Name | None, PLACE]


class Toleration(Section):
    """As in a Kubernetes pod spec."""

    key: Text | None = None
    operator: Literal["Exists", "Equal"] = "Equal"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = None


class Volume(Section):
    """A volume from one source: a ConfigMap, a Secret, a claim, or an emptyDir of a size."""

    name: Name
    mount_path: Annotated[str, StringConstraints(pattern=r"^/")]
    read_only: bool = True
    config_map: Name | None = None
    secret: Name | None = None
    claim: Name | None = None
    empty_dir: Quantity | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "Volume":
        sources = (self.config_map, self.secret, self.claim, self.empty_dir)
        if sum(source is not None for source in sources) != 1:
            raise ValueError("takes exactly one of configMap, secret, claim, emptyDir")
        return self
