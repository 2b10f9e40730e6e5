"""Parts of Kubernetes objects that several sections contain: resources, claims."""

from typing import Annotated

from ..fields import Cpu, Memory, Section, Storage, StorageClass
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
    """the size of the volume"""
    storage_class: Annotated[StorageClass | None, LOCATION]
    """the volume's class; null is the cluster's default, an empty text none"""
