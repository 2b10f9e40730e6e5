"""Values with every key that a pod may have, and where a pod has them."""

import json
from typing import Any

from .objects import Object, env

SECTIONS = {
    "airflow.apiServer": ("api-server", "webserver"),
    "airflow.scheduler": ("scheduler",),
    "airflow.dagProcessor": ("dag-processor",),
    "airflow.triggerer": ("triggerer",),
    "airflow.tasks": ("pod-template",),
    "airflow.jobs": ("migrations", "create-admin", "sweep-pods"),
    "airflow.celery.workers.default": ("worker-default",),
    "airflow.celery.flower": ("flower",),
    "database.cluster": ("mysql",),
    "database.backup": ("backup",),
    "broker.cluster": ("redis",),
}
"""The pods of each section, by the names that objects.pods gives them, on either line."""

SERVERS = ("mysql", "redis", "backup")
"""Pods without Airflow's image."""

IMAGE = "registry.example.com/tool:1@sha256:" + "0" * 64
RESOURCES = {kind: {"cpu": "1m", "memory": "16Mi"} for kind in ("requests", "limits")}


def of_the_pod(name: str) -> dict[str, Any]:
    """Values of the pod itself, in which `name` says whose they are."""
    return {
        "nodeSelector": {f"example.com/{name}": "yes"},
        "tolerations": [{"key": name, "operator": "Exists"}],
        "affinity": {
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {"labelSelector": {"matchLabels": {"of": name}}, "topologyKey": "zone"}
                ]
            }
        },
        "topologySpreadConstraints": [
            {"maxSkew": 2, "topologyKey": name, "whenUnsatisfiable": "DoNotSchedule"}
        ],
        "priorityClassName": name,
        "runtimeClassName": name,
        "podAnnotations": {f"example.com/{name}": "a text"},
        "labels": {f"of-{name}": "yes"},
        "hostAliases": [{"ip": "10.0.0.5", "hostnames": [name]}],
        "dnsConfig": {"searches": [name], "options": [{"name": "ndots", "value": "2"}]},
    }


def of_containers(name: str) -> dict[str, Any]:
    """Values of what is in the pod."""
    upper = name.upper().replace("-", "_")
    mounts = [{"name": f"{name}-csi", "mountPath": "/csi"}]
    container = {
        "image": IMAGE,
        "resources": RESOURCES,
        "command": ["tool"],
        "args": ["--listen"],
        "env": {"LEVEL": "debug"},
        "envFrom": [{"configMap": f"{name}-tool"}],
        "volumeMounts": mounts,
        "securityContext": {"runAsUser": 65532},
    }
    probe = {"httpGet": {"path": "/healthz", "port": 9090}}
    probes = {
        "startupProbe": {**probe, "periodSeconds": 1, "failureThreshold": 60},
        "readinessProbe": {**probe, "periodSeconds": 10},
        "livenessProbe": {**probe, "periodSeconds": 20},
    }
    return {
        "env": {
            f"{upper}_TEXT": "text",
            f"{upper}_SECRET": {"secret": f"{name}-secret", "key": "key"},
            f"{upper}_CONFIG_MAP": {"configMap": f"{name}-config", "key": "key"},
            f"{upper}_NODE": {"field": "status.hostIP"},
        },
        "envFrom": [{"secret": f"{name}-all", "prefix": f"{upper}_", "optional": True}],
        "volumes": [
            {"name": f"{name}-config-map", "mountPath": f"/{name}/config", "configMap": "files"},
            {
                "name": f"{name}-secret",
                "mountPath": f"/{name}/secret/key",
                "subPath": "key",
                "secret": "files",
            },
            {
                "name": f"{name}-claim",
                "mountPath": f"/{name}/claim",
                "claim": "mine",
                "readOnly": False,
            },
            {"name": f"{name}-empty", "emptyDir": "16Mi"},
            {
                "name": f"{name}-projected",
                "mountPath": f"/{name}/projected",
                "projected": [
                    {"secret": "files"},
                    {"configMap": "files"},
                    {"serviceAccountToken": {"audience": "vault", "path": "token"}},
                ],
            },
            {
                "name": f"{name}-csi",
                "csi": {
                    "driver": "secrets-store.csi.k8s.io",
                    "volumeAttributes": {"secretProviderClass": "airflow"},
                    "nodePublishSecretRef": "login",
                },
            },
        ],
        "volumeMounts": [
            {"name": f"{name}-config-map", "mountPath": f"/{name}/a", "subPath": "a"},
            {"name": f"{name}-empty", "mountPath": f"/{name}/empty", "readOnly": False},
        ],
        "extraInitContainers": [{"name": f"{name}-init", **container}],
        "extraContainers": [{"name": f"{name}-side", **container, **probes}],
        "lifecycle": {"preStop": {"exec": {"command": ["echo", name]}}},
    }


def values(sections: dict[str, dict[str, Any]]) -> str:
    """Overrides that set keys of sections, by the sections' paths."""
    return " ".join(
        f"{path}.{key}=" + json.dumps(value, separators=(",", ":")).replace(" ", "\\u0020")
        for path, section in sections.items()
        for key, value in section.items()
    )


def short(path: str) -> str:
    """The name of a section in its values."""
    return path.rpartition(".")[2].lower()


def every_key() -> str:
    """Overrides that set every key in every section."""
    sections = {path: short(path) for path in SECTIONS} | {"pods": "all"}
    return values({path: of_the_pod(name) | of_containers(name) for path, name in sections.items()})


def found(template: Object) -> dict[str, set[str]]:
    """Of each key of the values, whose are in a pod template, by the names given to them."""
    spec, metadata = template["spec"], template["metadata"]
    main = spec["containers"][0]
    inits = spec.get("initContainers", [])
    term = "requiredDuringSchedulingIgnoredDuringExecution"
    anti = spec.get("affinity", {}).get("podAntiAffinity", {}).get(term, [])
    hook = main.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", [])
    return {
        "nodeSelector": _after("example.com/", spec.get("nodeSelector", {})),
        "tolerations": {item["key"] for item in spec.get("tolerations", [])},
        "affinity": {item["labelSelector"]["matchLabels"]["of"] for item in anti},
        "topologySpreadConstraints": {
            item["topologyKey"] for item in spec.get("topologySpreadConstraints", [])
        },
        "priorityClassName": {spec.get("priorityClassName", "")} - {""},
        "runtimeClassName": {spec.get("runtimeClassName", "")} - {""},
        "podAnnotations": _after("example.com/", metadata.get("annotations", {})),
        "labels": _after("of-", metadata["labels"]),
        "hostAliases": {item["hostnames"][0] for item in spec.get("hostAliases", [])},
        "dnsConfig": {*spec.get("dnsConfig", {}).get("searches", [])},
        "env": {
            name.removesuffix("_TEXT").lower().replace("_", "-")
            for name in env(main)
            if name.endswith("_TEXT")
        },
        "envFrom": {
            item["secretRef"]["name"].removesuffix("-all")
            for item in main.get("envFrom", [])
            if "secretRef" in item
        },
        "volumes": _before("-csi", [item["name"] for item in spec["volumes"]]),
        "volumeMounts": _before("-empty", [item["name"] for item in main["volumeMounts"]]),
        "extraInitContainers": _before("-init", [item["name"] for item in inits]),
        "extraContainers": _before("-side", [item["name"] for item in inits]),
        "lifecycle": {*hook[1:]},
    }


def _after(start: str, names: Any) -> set[str]:
    return {name.removeprefix(start) for name in names if name.startswith(start)}


def _before(end: str, names: list[str]) -> set[str]:
    return {name.removesuffix(end) for name in names if name.endswith(end)}
