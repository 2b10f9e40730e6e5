"""What every pod may have: the section `pods` for all, and a component's own section over it.

Mappings are merged by key. Lists of named things (volumes, containers, …) are added to the more
general ones, as the official chart does it. Any other setting, such as `tolerations`, replaces the
more general one as soon as it is set, to an empty list too.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from ..fields import AnnotationKey, DnsSearch, Ip, ObjectName, Section, Subdomain, Text
from ..marks import CAPACITY, LOCATION
from .contents import Env, EnvFrom, ExtraContainer, Lifecycle, Sidecar, Volume, VolumeMount
from .placement import Affinity, Labels, NodeSelector, Tolerations, TopologySpread

Annotations = dict[AnnotationKey, str]


class HostAlias(Section):
    """A line of the pod's /etc/hosts."""

    ip: Ip
    hostnames: Annotated[list[Subdomain], Field(min_length=1)]


def _distinct(aliases: list[HostAlias]) -> list[HostAlias]:
    if len({alias.ip for alias in aliases}) < len(aliases):
        raise PydanticCustomError("twice", "should have one item for each ip, with all its names")
    return aliases


class DnsOption(Section):
    """An option of resolv.conf, such as ndots."""

    name: Text
    value: str | None = None


class DnsConfig(Section):
    """What is added to the pod's resolv.conf."""

    nameservers: Annotated[list[Ip], Field(max_length=3)] = Field(default_factory=list)
    searches: Annotated[list[DnsSearch], Field(max_length=32)] = Field(default_factory=list)
    options: list[DnsOption] = Field(default_factory=list)

    @field_validator("searches")
    @classmethod
    def _short(cls, searches: list[str]) -> list[str]:
        if len(" ".join(searches)) > 2048:
            raise PydanticCustomError("long", "should have at most 2048 characters in all")
        return searches


class PodFields(Section):
    """Where and how a pod runs. `pods` sets them for every pod, those of MySQL and Redis too."""

    node_selector: Annotated[NodeSelector, LOCATION] = Field(default_factory=dict)
    """labels that a node must have"""
    tolerations: Annotated[Tolerations | None, LOCATION] = None
    """taints of nodes that the pod tolerates"""
    affinity: Annotated[Affinity | None, LOCATION] = None
    """nodes by their labels, or by the pods on them"""
    topology_spread_constraints: Annotated[TopologySpread | None, LOCATION] = None
    """how replicas are spread; by default over the nodes, as well as possible, from two on"""
    priority_class_name: Annotated[ObjectName | None, LOCATION] = None
    """an existing PriorityClass"""
    runtime_class_name: Annotated[ObjectName | None, LOCATION] = None
    """an existing RuntimeClass, such as gVisor's or Kata's"""
    pod_annotations: Annotated[Annotations, LOCATION] = Field(default_factory=dict)
    """annotations of the pods"""
    labels: Annotated[Labels, LOCATION] = Field(default_factory=dict)
    """labels of the pods; no selector contains them"""
    host_aliases: Annotated[
        Annotated[list[HostAlias], AfterValidator(_distinct)] | None, LOCATION
    ] = None
    """lines of /etc/hosts"""
    dns_config: Annotated[DnsConfig | None, LOCATION] = None
    """name servers, search domains and options in addition to the cluster's"""


class ContainerFields(Section):
    """What is in a pod. `pods` sets them for the pods of Airflow's own image."""

    env: Env = Field(default_factory=dict)
    """variables of the main container: a text, or {secret: …, key: …}, {configMap: …, key: …} or
    {field: status.hostIP}"""
    env_from: list[EnvFrom] = Field(default_factory=list)
    """Secrets and ConfigMaps of which every key is a variable, unless the program sets that"""
    volumes: list[Volume] = Field(default_factory=list)
    """volumes, each with one of configMap, secret, claim, emptyDir, projected, csi, and perhaps
    mountPath and subPath for the main container; read-only unless readOnly is false"""
    volume_mounts: list[VolumeMount] = Field(default_factory=list)
    """more mounts of these volumes in the main container"""
    extra_init_containers: list[ExtraContainer] = Field(default_factory=list)
    """init containers, after the program's own"""
    extra_containers: list[Sidecar] = Field(default_factory=list)
    """native side-cars, which have started before all other containers start"""
    lifecycle: Lifecycle | None = None
    """hooks of the main container"""

    def texts(self) -> dict[str, str]:
        """The variables whose value is known here."""
        return {name: value for name, value in self.env.items() if isinstance(value, str)}


class PodSettings(PodFields, ContainerFields):
    """All that a pod may have."""


class AccountSettings(Section):
    """A service account: by its annotations, clouds give pods an identity (IRSA, Workload
    Identity).
    """

    annotations: Annotated[Annotations, LOCATION] = Field(default_factory=dict)
    """annotations of the service account, such as eks.amazonaws.com/role-arn"""
    labels: Annotated[Labels, LOCATION] = Field(default_factory=dict)
    """labels of the service account"""


class OwnAccount(Section):
    """Of sections whose pods have a service account of their own."""

    service_account: AccountSettings = Field(default_factory=AccountSettings)


class DisruptionBudget(Section):
    """How many replicas a drain of nodes may take at a time; there is one from two replicas on."""

    max_unavailable: Annotated[Annotated[int, Field(ge=1, le=1000)], CAPACITY] = 1
    """replicas that a drain of nodes may take at a time"""
