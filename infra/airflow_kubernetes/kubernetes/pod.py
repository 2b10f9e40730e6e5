"""A pod as a value: its containers and volumes, and the manifest that they make.

A component adds up the Parts that it needs and makes its Pod once, with the Extras of its values;
nothing changes a Pod afterwards. All pods pass Pod Security `restricted`
(https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted).

Environment variables, mounts and volumes are plain data, as in Kubernetes' API. A field that is
None is left out of the manifest; an empty list is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..settings.schema import Resources
from .env import EnvVar
from .manifest import labels, selector
from .probes import Probes
from .rbac import ServiceAccount

Fields = dict[str, Any]


@dataclass(frozen=True)
class Container:
    """A container without privileges, on a read-only root file system.

    `env_from` are sources of variables, of which the last takes precedence, and `env` over all of
    them. `ports` are numbers by name, `user` overrides the pod's. An init container with
    `restart_policy` Always is a side-car: it runs as long as the pod.
    """

    name: str
    image: str
    resources: Resources
    args: Sequence[str] | None = None
    command: Sequence[str] | None = None
    env: Sequence[EnvVar] | None = None
    env_from: Sequence[Fields] = ()
    mounts: Sequence[Fields] = ()
    ports: Mapping[str, int] = field(default_factory=dict)
    probes: Probes | None = None
    lifecycle: Fields | None = None
    user: int | None = None
    restart_policy: Literal["Always"] | None = None

    def manifest(self) -> Fields:
        """The container as in a pod spec."""
        ports = [{"name": name, "containerPort": port} for name, port in self.ports.items()]
        return _without_none(
            {
                "name": self.name,
                "image": self.image,
                "command": _list(self.command),
                "args": _list(self.args),
                "envFrom": [*self.env_from] or None,
                "env": _list(self.env),
                "ports": ports or None,
                "resources": self.resources.model_dump(),
                "securityContext": _without_none(
                    {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                        "readOnlyRootFilesystem": True,
                        "runAsUser": self.user,
                    }
                ),
                "startupProbe": self.probes and self.probes.startup,
                "livenessProbe": self.probes and self.probes.liveness,
                "readinessProbe": self.probes and self.probes.readiness,
                "lifecycle": self.lifecycle,
                "volumeMounts": list(self.mounts),
                "restartPolicy": self.restart_policy,
            }
        )


@dataclass(frozen=True)
class Parts:
    """What is added to a pod, with `+` and in that order: variables and mounts to its main
    container; volumes, init containers and side-cars to the pod.

    The container's own sources of variables take precedence over `env_from`.
    """

    env_from: tuple[Fields, ...] = ()
    env: tuple[EnvVar, ...] = ()
    mounts: tuple[Fields, ...] = ()
    volumes: tuple[Fields, ...] = ()
    init: tuple[Container, ...] = ()
    sidecars: tuple[Container, ...] = ()

    def __add__(self, other: "Parts") -> "Parts":
        return Parts(
            self.env_from + other.env_from,
            self.env + other.env,
            self.mounts + other.mounts,
            self.volumes + other.volumes,
            self.init + other.init,
            self.sidecars + other.sidecars,
        )

    def of(self, container: Container) -> Container:
        """The container with these variables and mounts after its own."""
        env = container.env
        if env is not None or self.env:
            env = (*(env or ()), *self.env)
        return replace(
            container,
            env_from=(*self.env_from, *container.env_from),
            env=env,
            mounts=(*container.mounts, *self.mounts),
        )


NOTHING = Parts()


@dataclass(frozen=True)
class Extras:
    """What the values add to a pod (pod_settings.py): labels, annotations, fields of its spec, and
    Parts before and after its own.

    `lifecycle` are hooks of the main container. `spread` are topology spread constraints, without a
    labelSelector for the pods of the same component; None: as the program does it.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    fields: Fields = field(default_factory=dict)
    first: Parts = NOTHING
    last: Parts = NOTHING
    lifecycle: Fields | None = None
    spread: Sequence[Fields] | None = None


NO_EXTRAS = Extras()

SPREAD: Fields = {
    "maxSkew": 1,
    "topologyKey": "kubernetes.io/hostname",
    "whenUnsatisfiable": "ScheduleAnyway",
    # Of a roll, the new pods alone: else the old ones would push them together.
    "matchLabelKeys": ["pod-template-hash"],
}
"""How replicas of a Deployment are spread, unless the values say."""

EVICTION = {
    True: {"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"},
    False: {
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
        "karpenter.sh/do-not-disrupt": "true",
    },
}
"""Annotations by `Pod.evictable`. The cluster autoscaler takes a pod with an emptyDir for one that
must stay, Karpenter every pod for one that may go
(https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md,
https://karpenter.sh/docs/reference/annotations/)."""


@dataclass(frozen=True)
class Pod:
    """A pod of a component. It gets a token if its service account has a Role.

    `user` and `group` are numeric ids; volumes belong to the group. `pull_secrets` are logins to
    registries, `version` a label that says which release runs. `grace_period` is in seconds;
    None is Kubernetes' default of 30. `evictable`: an autoscaler of nodes may move it, to empty a
    node; nothing is lost with it but a few seconds.
    """

    component: str
    account: ServiceAccount
    container: Container
    parts: Parts
    user: int
    group: int
    pull_secrets: Sequence[str] = ()
    version: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    grace_period: int | None = None
    restart_policy: Literal["Never"] | None = None
    evictable: bool = False
    extras: Extras = NO_EXTRAS

    def template(self, *, replicated: bool = False) -> Fields:
        """Metadata and spec, as in a workload's template; of one that may have several pods, if
        `replicated`.
        """
        version = None if self.version is None else {"app.kubernetes.io/version": self.version}
        metadata = {
            "labels": labels(self.component) | (version or {}) | dict(self.extras.labels),
            "annotations": {
                **EVICTION[self.evictable],
                **self.annotations,
                **self.extras.annotations,
            },
        }
        return {"metadata": metadata, "spec": self._spec(replicated)}

    def _spec(self, replicated: bool) -> Fields:
        parts = self.extras.first + self.parts + self.extras.last
        main = replace(parts.of(self.container), lifecycle=self.extras.lifecycle)
        containers = [main, *parts.sidecars]
        spread = self.extras.spread
        if spread is None:
            spread = [SPREAD] if replicated else []
        own = {"labelSelector": {"matchLabels": selector(self.component)}}
        return _without_none(
            {
                "serviceAccountName": self.account.name,
                "automountServiceAccountToken": self.account.token,
                "enableServiceLinks": False,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": self.user,
                    "runAsGroup": self.group,
                    "fsGroup": self.group,
                    # The kubelet then walks a volume with many files only if its root is wrong.
                    "fsGroupChangePolicy": "OnRootMismatch",
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "initContainers": [item.manifest() for item in parts.init] or None,
                "containers": [item.manifest() for item in containers],
                "volumes": list(parts.volumes),
                "imagePullSecrets": [{"name": name} for name in self.pull_secrets] or None,
                "topologySpreadConstraints": [{**own, **item} for item in spread] or None,
                **self.extras.fields,
                "restartPolicy": self.restart_policy,
                "terminationGracePeriodSeconds": self.grace_period,
            }
        )


def volume(name: str, path: str, source: Fields, **mount: Any) -> Parts:
    """A volume and its mount at `path`; `mount` are more fields of the mount (`readOnly`)."""
    return Parts(
        mounts=({"name": name, "mountPath": path, **mount},),
        volumes=({"name": name, **source},),
    )


def scratch(name: str, path: str, size: str) -> Parts:
    """A bounded emptyDir: one of the few writable folders under a read-only root."""
    return volume(name, path, {"emptyDir": {"sizeLimit": size}})


def _list(items: Sequence[Any] | None) -> list[Any] | None:
    return None if items is None else list(items)


def _without_none(fields: Fields) -> Fields:
    return {key: value for key, value in fields.items() if value is not None}
