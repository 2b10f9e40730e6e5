"""What `airflow.tasks` gives to the pods in which tasks run, whichever kind those are."""

from typing import Any

from ..kubernetes.manifest import Manifest
from ..kubernetes.pods import plain_env
from ..settings.fields import Section
from ..settings.schema import Settings, Toleration, Volume

STAY = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
"""Annotation of pods that run tasks: a cluster autoscaler does not empty their node."""


def extend(settings: Settings, pod: dict[str, Any]) -> dict[str, Any]:
    """A pod spec with the environment and volumes of `airflow.tasks` in its first container."""
    wanted = settings.airflow.tasks
    container, *others = pod["containers"]
    container = {
        **container,
        "env": [*container["env"], *plain_env(wanted.env)],
        "volumeMounts": [
            *container["volumeMounts"],
            *(
                {"name": one.name, "mountPath": one.mount_path, "readOnly": one.read_only}
                for one in wanted.volumes
            ),
        ],
    }
    volumes = [*pod["volumes"], *map(_volume, wanted.volumes)]
    return {**pod, "containers": [container, *others], "volumes": volumes}


def placed(
    pod: dict[str, Any], node_selector: dict[str, str], tolerations: list[Toleration]
) -> dict[str, Any]:
    """A pod spec with a node selector and tolerations, where there are any."""
    placement: dict[str, Any] = {}
    if node_selector:
        placement["nodeSelector"] = node_selector
    if tolerations:
        placement["tolerations"] = [_plain(one) for one in tolerations]
    return {**pod, **placement}


def _volume(wanted: Volume) -> Manifest:
    sources = {
        "configMap": ("name", wanted.config_map),
        "secret": ("secretName", wanted.secret),
        "persistentVolumeClaim": ("claimName", wanted.claim),
        "emptyDir": ("sizeLimit", wanted.empty_dir),
    }
    return {
        "name": wanted.name,
        **{kind: {key: value} for kind, (key, value) in sources.items() if value is not None},
    }


def _plain(section: Section) -> dict[str, Any]:
    """A section with Kubernetes' keys, without what is not set."""
    return section.model_dump(by_alias=True, exclude_none=True)
