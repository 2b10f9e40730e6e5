"""What is in a pod: variables, volumes, init containers, side-cars, hooks.

References to other objects are names (`secret: mine`), not Kubernetes' mappings.
"""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from ..fields import (
    TAGS,
    CsiDriver,
    DataKey,
    HttpPath,
    ImageName,
    MountPath,
    Name,
    ObjectName,
    Section,
    Storage,
    SubPath,
    Text,
    Variable,
)
from .kubernetes import Resources

Port = Annotated[int, Field(ge=1, le=65535)]


def exactly_one(section: Section, *fields: str) -> None:
    """Raises PydanticCustomError, with the keys, unless one of the fields is set."""
    if sum(getattr(section, field) is not None for field in fields) != 1:
        keys = [type(section).model_fields[field].alias or field for field in fields]
        raise PydanticCustomError(
            "sources", "should have exactly one of {keys}", {"keys": ", ".join(keys)}
        )


class EnvSource(Section):
    """The value of a variable from elsewhere: the `key` of a Secret or ConfigMap, or a `field` of
    the pod.
    """

    secret: ObjectName | None = None
    config_map: ObjectName | None = None
    key: DataKey | None = None
    field: (
        Literal[
            "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
            "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP",
            "status.podIPs",
        ]
        | None
    ) = None  # fmt: skip

    @model_validator(mode="after")
    def _possible(self) -> "EnvSource":
        exactly_one(self, "secret", "config_map", "field")
        if (self.key is None) != (self.field is not None):
            raise PydanticCustomError("key", "should have a key with secret or configMap alone")
        return self


class SecretKey(Section):
    """A value from a key of a Secret."""

    secret: ObjectName
    key: DataKey


def _kind(value: Any) -> str:
    return TAGS[1] if isinstance(value, dict | Section) else TAGS[0]


Scalar = str | int | float | bool

OptionValue = Annotated[
    Annotated[Scalar, Tag(TAGS[0])] | Annotated[SecretKey, Tag(TAGS[1])], Discriminator(_kind)
]
"""The value of an option of airflow.cfg, or where it is."""

Env = dict[
    Variable,
    Annotated[
        Annotated[str, Tag(TAGS[0])] | Annotated[EnvSource, Tag(TAGS[1])], Discriminator(_kind)
    ],
]
"""Variables: a text each, or where it comes from."""


class EnvFrom(Section):
    """All keys of a ConfigMap or Secret as variables, with `prefix` before their names.

    `optional`: it may be missing.
    """

    config_map: ObjectName | None = None
    secret: ObjectName | None = None
    prefix: Variable | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> "EnvFrom":
        exactly_one(self, "config_map", "secret")
        return self


class Token(Section):
    """A token of the pod's service account for another service, the `audience`."""

    audience: Text
    path: SubPath
    expiration_seconds: Annotated[int, Field(ge=600, le=2**32)] = 3600


class Projection(Section):
    """A source of a projected volume."""

    config_map: ObjectName | None = None
    secret: ObjectName | None = None
    service_account_token: Token | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "Projection":
        exactly_one(self, "config_map", "secret", "service_account_token")
        return self


class Csi(Section):
    """A volume that a CSI driver makes for the pod, such as secrets-store.csi.k8s.io."""

    driver: CsiDriver
    volume_attributes: dict[str, str] = Field(default_factory=dict)
    fs_type: Text | None = None
    node_publish_secret_ref: ObjectName | None = None


class VolumeMount(Section):
    """Where a container has a volume, or its folder or file `sub_path`; read-only by default."""

    name: Name
    mount_path: MountPath
    sub_path: SubPath | None = None
    read_only: bool = True


class Volume(Section):
    """A volume with exactly one source; `empty_dir` is its size limit.

    `mount_path`, `sub_path`, `read_only`: as of a mount of the main container. Without a path it
    has none: `volumeMounts` may name the volume, for the main container or another.
    """

    name: Name
    mount_path: MountPath | None = None
    sub_path: SubPath | None = None
    read_only: bool = True
    config_map: ObjectName | None = None
    secret: ObjectName | None = None
    claim: ObjectName | None = None
    empty_dir: Storage | None = None
    projected: Annotated[list[Projection], Field(min_length=1)] | None = None
    csi: Csi | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "Volume":
        exactly_one(self, "config_map", "secret", "claim", "empty_dir", "projected", "csi")
        if self.sub_path is not None and self.mount_path is None:
            raise PydanticCustomError("path", "should have a mountPath with subPath")
        return self


class Execute(Section):
    """A command in the container, without a shell."""

    command: Annotated[list[str], Field(min_length=1)]


class HttpGet(Section):
    """A request to the pod itself."""

    path: HttpPath
    port: Port
    scheme: Literal["HTTP", "HTTPS"] = "HTTP"


class TcpSocket(Section):
    """A connection to the pod itself."""

    port: Port


class Grpc(Section):
    """A call of the gRPC health protocol."""

    port: Port
    service: Text | None = None


Seconds = Annotated[int, Field(ge=1, lt=2**31)]


class Probe(Section):
    """A probe of a Kubernetes container, with exactly one action."""

    exec: Execute | None = None
    http_get: HttpGet | None = None
    tcp_socket: TcpSocket | None = None
    grpc: Grpc | None = None
    initial_delay_seconds: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    period_seconds: Seconds | None = None
    timeout_seconds: Seconds | None = None
    failure_threshold: Seconds | None = None

    @model_validator(mode="after")
    def _one_action(self) -> "Probe":
        exactly_one(self, "exec", "http_get", "tcp_socket", "grpc")
        return self


class Handler(Section):
    """What a hook does."""

    exec: Execute | None = None
    http_get: HttpGet | None = None

    @model_validator(mode="after")
    def _one_action(self) -> "Handler":
        exactly_one(self, "exec", "http_get")
        return self


class Lifecycle(Section):
    """Hooks after a container's start and before its end."""

    post_start: Handler | None = None
    pre_stop: Handler | None = None


class RunAs(Section):
    """The user of a container, where its image needs another than the pod's."""

    run_as_user: Annotated[int, Field(ge=1, lt=2**31)]


class ExtraContainer(Section):
    """An init container, which ends before the others start.

    The rest of its security context is that of every container: no privileges, a read-only root
    file system. So it writes only to volumes that it mounts.
    """

    name: Name
    image: ImageName
    resources: Resources
    command: list[str] = Field(default_factory=list)
    args: list[str] = Field(default_factory=list)
    env: Env = Field(default_factory=dict)
    env_from: list[EnvFrom] = Field(default_factory=list)
    volume_mounts: list[VolumeMount] = Field(default_factory=list)
    security_context: RunAs | None = None


class Sidecar(ExtraContainer):
    """A side-car: a container that runs as long as its pod, so it has all probes.

    A native one (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/): it has
    started before the others start, and ends after them, so that no Job waits for it.
    """

    startup_probe: Probe
    liveness_probe: Probe
    readiness_probe: Probe
    lifecycle: Lifecycle | None = None
