"""Autoscalers of Deployments: Kubernetes' own by CPU, KEDA's by what the metadata database says."""

from ..database import mysql
from ..kubernetes.manifest import Manifest, manifest
from ..secrets import MYSQL_PASSWORD, MYSQL_SECRET, place
from ..settings.schema import Settings

CPU_TARGET = 75
"""Per cent of the requested CPU above which a HorizontalPodAutoscaler adds pods."""

POLLING_INTERVAL = 5
"""Seconds between two looks of KEDA while nothing runs (the official chart's value). From the first
pod on, Kubernetes asks it every 15 s."""

API = "keda.sh/v1alpha1"
AUTHENTICATION, COMPONENT = "airflow-keda", "keda"
CONNECTION = "kedaConnection"
"""The key of `airflow.keda.secret`, named as in the official chart."""

PAUSED = "autoscaling.keda.sh/paused-replicas"
"""Annotation of a ScaledObject: the number of pods that KEDA leaves there, whatever is to be done.
Source: https://keda.sh/docs/latest/concepts/scaling-deployments/#pausing-autoscaling"""


def by_cpu(settings: Settings, component: str, least: int, most: int) -> Manifest:
    """Kubernetes' autoscaler of a component's Deployment."""
    target = {"type": "Utilization", "averageUtilization": CPU_TARGET}
    return manifest(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        f"airflow-{component}",
        settings.namespace,
        component,
        spec={
            "scaleTargetRef": _deployment(component),
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    )


def by_query(settings: Settings, component: str, least: int, most: int, query: str) -> Manifest:
    """KEDA's autoscaler of a component's Deployment; `query` returns the number of pods needed.

    It is an autoscaler of Kubernetes that KEDA makes and feeds, and KEDA itself between none and
    one. Neither does anything while the query fails.
    """
    cooldown = settings.airflow.keda.cooldown_period
    behavior = {"scaleDown": {"stabilizationWindowSeconds": cooldown}}
    return manifest(
        API,
        "ScaledObject",
        f"airflow-{component}",
        settings.namespace,
        component,
        # Without it, KEDA would start workers for tasks that are queued when Airflow stops.
        annotations={PAUSED: "0"} if settings.airflow.stopped else None,
        spec={
            "scaleTargetRef": _deployment(component),
            "pollingInterval": POLLING_INTERVAL,
            "cooldownPeriod": cooldown,
            "minReplicaCount": least,
            "maxReplicaCount": most,
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": behavior}},
            "triggers": [
                {
                    "type": "mysql",
                    "metadata": {**_server(settings), "query": query, "queryValue": "1"},
                    "authenticationRef": {"name": AUTHENTICATION},
                }
            ],
        },
    )


def authentication_manifest(settings: Settings) -> Manifest:
    """How KEDA logs in to the database: by a Secret's name, so that nothing holds a copy of it."""
    own = settings.airflow.keda.secret
    parameters = (
        [
            ("username", MYSQL_SECRET, "username"),
            ("password", *place(settings, MYSQL_SECRET, MYSQL_PASSWORD)),
        ]
        if own is None
        else [("connectionString", own, CONNECTION)]
    )
    return manifest(
        API,
        "TriggerAuthentication",
        AUTHENTICATION,
        settings.namespace,
        COMPONENT,
        spec={
            "secretTargetRef": [
                {"parameter": parameter, "name": secret, "key": key}
                for parameter, secret, key in parameters
            ]
        },
    )


def _server(settings: Settings) -> dict[str, str]:
    """The address, by the name that KEDA's namespace knows; nothing if a Secret has it."""
    if settings.airflow.keda.secret is not None:
        return {}
    return {
        "host": f"{mysql.NAME}.{settings.namespace}.svc",
        "port": str(mysql.PORT),
        "dbName": settings.database.name,
    }


def _deployment(component: str) -> dict[str, str]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"airflow-{component}"}
