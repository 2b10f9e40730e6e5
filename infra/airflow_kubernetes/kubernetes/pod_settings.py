"""What the values add to a pod: a component's section over more general ones, as Extras."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import reduce
from operator import add, or_
from typing import Any

from ..settings.fields import Section
from ..settings.schema import (
    EnvFrom,
    EnvSource,
    ExtraContainer,
    PodFields,
    PodSettings,
    Projection,
    Settings,
    Sidecar,
    Volume,
    VolumeMount,
)
from .env import EnvVar
from .pod import Container, Extras, Fields, Parts
from .probes import Probes


def only(fields: type[Section], section: PodSettings) -> PodSettings:
    """A section's PodFields or ContainerFields, and nothing else of it."""
    return PodSettings.model_construct(
        **{name: getattr(section, name) for name in fields.model_fields}
    )


def merged(*sections: PodSettings) -> PodSettings:
    """Sections as one, the most general first; the rule is that of settings/schema/pods.py."""

    def value(name: str) -> Any:
        values = [getattr(section, name) for section in sections]
        if PodSettings.model_fields[name].default is None:
            return next((each for each in reversed(values) if each is not None), None)
        return reduce(or_ if isinstance(values[0], dict) else add, values)

    return PodSettings.model_construct(**{name: value(name) for name in PodSettings.model_fields})


def server_extras(settings: Settings, section: PodSettings) -> Extras:
    """Those of a pod without Airflow's image, which has no variables and volumes of `pods`."""
    return extras(merged(only(PodFields, settings.pods), section))


def extras(values: PodSettings) -> Extras:
    """Side-cars start before the program's own init containers, which may need them (a proxy of the
    database), init containers after these.
    """
    spread = values.topology_spread_constraints
    return Extras(
        labels=values.labels,
        annotations=values.pod_annotations,
        fields=placement(values),
        first=Parts(
            env_from=_env_from(values.env_from),
            init=tuple(map(_sidecar, values.extra_containers)),
        ),
        last=contents(values) + Parts(init=tuple(map(_container, values.extra_init_containers))),
        lifecycle=_given(values.lifecycle),
        spread=None if spread is None else [_plain(item) for item in spread],
    )


def contents(values: PodSettings) -> Parts:
    """The variables, volumes and mounts of the main container."""
    mounts: list[Volume | VolumeMount] = [item for item in values.volumes if item.mount_path]
    return Parts(
        env=_env(values.env),
        mounts=tuple(_mount(item) for item in mounts + values.volume_mounts),
        volumes=tuple({"name": item.name, **_source(item)} for item in values.volumes),
    )


def placement(values: PodFields) -> Fields:
    """Fields of the pod's spec; those without a value are left out."""
    fields = {
        "nodeSelector": values.node_selector,
        "tolerations": [
            item.model_dump(by_alias=True, exclude_none=True) for item in values.tolerations or ()
        ],
        "affinity": _given(values.affinity),
        "priorityClassName": values.priority_class_name,
        "runtimeClassName": values.runtime_class_name,
        "hostAliases": [_plain(item) for item in values.host_aliases or ()],
        "dnsConfig": _given(values.dns_config),
    }
    return {key: value for key, value in fields.items() if value}


def _env(values: Mapping[str, str | EnvSource]) -> tuple[EnvVar, ...]:
    return tuple(
        {"name": name, "value": value}
        if isinstance(value, str)
        else {"name": name, "valueFrom": _value_from(value)}
        for name, value in values.items()
    )


def _value_from(source: EnvSource) -> Fields:
    if source.field is not None:
        return {"fieldRef": {"fieldPath": source.field}}
    kind = "configMapKeyRef" if source.secret is None else "secretKeyRef"
    return {kind: {"name": source.secret or source.config_map, "key": source.key}}


def _env_from(sources: Iterable[EnvFrom]) -> tuple[Fields, ...]:
    def source(item: EnvFrom) -> Fields:
        kind = "configMapRef" if item.secret is None else "secretRef"
        optional = {"optional": True} if item.optional else {}
        prefix = {"prefix": item.prefix} if item.prefix else {}
        return {kind: {"name": item.secret or item.config_map, **optional}, **prefix}

    return tuple(map(source, sources))


def _mount(item: Volume | VolumeMount) -> Fields:
    mount: Fields = {"name": item.name, "mountPath": item.mount_path, "readOnly": item.read_only}
    return mount if item.sub_path is None else mount | {"subPath": item.sub_path}


def _source(item: Volume) -> Fields:
    """The source of a volume, as in a pod's spec."""
    if item.projected is not None:
        return {"projected": {"sources": [_projection(source) for source in item.projected]}}
    if item.csi is not None:
        csi = _plain(item.csi) | {"readOnly": item.read_only}
        if item.csi.node_publish_secret_ref is not None:
            csi["nodePublishSecretRef"] = {"name": item.csi.node_publish_secret_ref}
        return {"csi": csi}
    sources = {
        "configMap": ("name", item.config_map),
        "secret": ("secretName", item.secret),
        "persistentVolumeClaim": ("claimName", item.claim),
        "emptyDir": ("sizeLimit", item.empty_dir),
    }
    return {kind: {key: value} for kind, (key, value) in sources.items() if value is not None}


def _projection(source: Projection) -> Fields:
    if source.service_account_token is not None:
        return {"serviceAccountToken": _plain(source.service_account_token)}
    kind = "configMap" if source.secret is None else "secret"
    return {kind: {"name": source.secret or source.config_map}}


def _container(item: ExtraContainer) -> Container:
    return Container(
        name=item.name,
        image=item.image,
        resources=item.resources,
        command=item.command or None,
        args=item.args or None,
        env=_env(item.env) or None,
        env_from=_env_from(item.env_from),
        mounts=tuple(map(_mount, item.volume_mounts)),
        user=None if item.security_context is None else item.security_context.run_as_user,
    )


def _sidecar(item: Sidecar) -> Container:
    return replace(
        _container(item),
        probes=Probes(
            startup=_plain(item.startup_probe),
            liveness=_plain(item.liveness_probe),
            readiness=_plain(item.readiness_probe),
        ),
        lifecycle=_given(item.lifecycle),
        restart_policy="Always",
    )


def _plain(section: Section) -> Fields:
    """A section that is as in Kubernetes' API, without what it does not set."""
    return section.model_dump(by_alias=True, exclude_defaults=True)


def _given(section: Section | None) -> Fields | None:
    return None if section is None else _plain(section)
