"""The chart's components: what each section has in common, and what it has alone."""

from typing import Any

from .pods import MANUALLY, UNLIKE, Rule, env, mounts, volumes
from .result import Result
from .rules import Table, each, says, to, walk

OWN_PROBES = "the program's own probes, which fit each release"
OWN_ACCOUNT = "every component has an account of its own with the rights that it needs"
NOT_YET = "not here yet"
PRIVILEGES = "every pod complies with Pod Security restricted"
NO_ANNOTATIONS = "no such annotations here"

FIXED: Table = {
    "annotations": says("of the object itself: there are none here; podAnnotations are"),
    "args": says("the program's own"),
    "automountServiceAccountToken": says("only pods with rights get a token"),
    "command": says("the program's own"),
    "configMapAnnotations": says(NO_ANNOTATIONS),
    "containerSecurityContext": says(PRIVILEGES),
    "extraContainers": says(MANUALLY),
    "extraInitContainers": says(MANUALLY),
    "extraNetworkPolicies": says(NOT_YET),
    "extraPorts": says("no more ports here"),
    "livenessProbe": says(OWN_PROBES),
    "logGroomerSidecar": says(f"{NOT_YET}: logs are on a volume, whose room is to be watched"),
    "networkPolicy": says(NOT_YET),
    "persistence": says("not needed: logs are on a volume that all components share"),
    "podManagementPolicy": says("not needed: components are Deployments"),
    "readinessProbe": says(OWN_PROBES),
    "revisionHistoryLimit": says("always 3"),
    "safeToEvict": says("every pod says whether it may move: see docs/nodes.md"),
    "schedulerName": says("no such setting here"),
    "securityContext": says(PRIVILEGES),
    "securityContexts": says(PRIVILEGES),
    "serviceAccount.automountServiceAccountToken": says("only pods with rights get a token"),
    "serviceAccount.create": says(OWN_ACCOUNT),
    "serviceAccount.name": says(OWN_ACCOUNT),
    "serviceAccount.serviceAccountTokenVolume": says("only pods with rights get a token"),
    "startupProbe": says(OWN_PROBES),
    "strategy": says("chosen by the program"),
    "updateStrategy": says("chosen by the program"),
    "volumeClaimTemplates": says("no such setting here: name a claim in volumes"),
    "waitForMigrations": says("every component waits for the migrations"),
}
"""Of every component: what cannot be set here, or need not be."""

PLACED = (
    "affinity", "hostAliases", "labels", "nodeSelector", "podAnnotations", "priorityClassName",
    "runtimeClassName", "tolerations", "topologySpreadConstraints",
)  # fmt: skip
"""Of every pod, by the same name here."""


def pod(*sections: str) -> dict[str, Rule]:
    """The rules of what any pod may have, for these sections of the values."""
    table = dict(FIXED)
    table |= {name: to(*(f"{section}.{name}" for section in sections)) for name in PLACED}
    table |= {
        "resources": to(*(f"{section}.resources" for section in sections)),
        "env": each(*(env(section) for section in sections)),
        "extraVolumes": each(*(volumes(section) for section in sections)),
        "extraVolumeMounts": each(*(mounts(section) for section in sections)),
        "containerLifecycleHooks": to(*(f"{section}.lifecycle" for section in sections)),
    }
    return table


def component(section: str) -> dict[str, Rule]:
    """The rules of a long-running component."""
    return pod(section) | {
        "replicas": to(f"{section}.replicas"),
        "serviceAccount.annotations": to(f"{section}.serviceAccount.annotations"),
        "podDisruptionBudget.enabled": says("there is one from two replicas on"),
        "podDisruptionBudget.config.maxUnavailable": to(
            f"{section}.podDisruptionBudget.maxUnavailable"
        ),
        "podDisruptionBudget.config.minAvailable": says("set maxUnavailable instead"),
        "terminationGracePeriodSeconds": says("Kubernetes' default, 30 s"),
    }


def job(section: str) -> dict[str, Rule]:
    """The rules of a Job."""
    return pod(section) | {
        "serviceAccount.annotations": to(f"{section}.serviceAccount.annotations"),
        "jobAnnotations": says(NO_ANNOTATIONS),
        "ttlSecondsAfterFinished": says("Jobs stay, as a record; a changed one replaces them"),
        "useHelmHooks": says("no hooks here: what waits for a Job waits by itself"),
        "applyCustomEnv": says("Jobs have the variables of pods.env"),
    }


OF_AUTOSCALERS = {"advanced", "behavior", "metrics", "pollingInterval", "query"}


def autoscaled(section: str, *, keda: bool) -> Rule:
    """The rule of `keda` or `hpa` of a component."""

    def rule(result: Result, source: str, value: Any) -> None:
        if not isinstance(value, dict):
            result.note(source, UNLIKE)
            return
        if not value.get("enabled"):
            return
        if keda:
            result.set("airflow.keda.enabled", True, f"{source}.enabled")
            if "cooldownPeriod" in value:
                cooldown = f"{source}.cooldownPeriod"
                result.set("airflow.keda.cooldownPeriod", value["cooldownPeriod"], cooldown)
        for key, setting in (("minReplicaCount", "replicas"), ("maxReplicaCount", "maxReplicas")):
            if key in value:
                result.set(f"{section}.{setting}", value[key], f"{source}.{key}")
        for key in sorted({*value} & OF_AUTOSCALERS):
            result.note(f"{source}.{key}", "chosen by the program: see docs/executors.md")

    return rule


def _queues(value: Any) -> list[str]:
    return [name.strip() for name in str(value).split(",") if name.strip()]


def worker_set(section: str) -> dict[str, Rule]:
    """The rules of a set of Celery workers."""
    return component(section) | {
        # All sets have one account.
        "serviceAccount.annotations": to("airflow.celery.serviceAccount.annotations"),
        "queue": to(f"{section}.queues", change=_queues),
        "keda": autoscaled(section, keda=True),
        "hpa": autoscaled(section, keda=False),
        "terminationGracePeriodSeconds": to("airflow.tasks.gracePeriod"),
        "podTemplate": says("the pod template is made by the program; set airflow.tasks"),
        "kerberosSidecar": says(NOT_YET),
        "kerberosInitContainer": says(NOT_YET),
    }


def workers(executor: str) -> Rule:
    """The rule of `workers`: Celery's, the pods of tasks, or both, as the executor has them."""
    default = "airflow.celery.workers.default"
    celery, kubernetes = worker_set(default), pod("airflow.tasks")
    kubernetes["serviceAccount.annotations"] = to("airflow.tasks.serviceAccount.annotations")
    for key in ("terminationGracePeriodSeconds", "podTemplate"):
        kubernetes[key] = celery[key]
    has_celery, has_pods = "Celery" in executor, "Kubernetes" in executor
    used = [celery] * has_celery + [kubernetes] * has_pods
    if has_celery and has_pods:
        for key in ("env", "extraVolumes", "extraVolumeMounts", "containerLifecycleHooks"):
            del celery[key]  # what airflow.tasks has of containers is of workers too
    without_effect = says(f"no effect with {executor}")
    shared = {
        key: each(*(table[key] for table in used if key in table))
        if any(key in table for table in used)
        else without_effect
        for key in celery.keys() | kubernetes.keys()
    }
    table = shared | {f"celery.{key}": rule for key, rule in celery.items()}
    table |= {f"kubernetes.{key}": rule for key, rule in kubernetes.items()}
    table["celery.sets"] = _sets
    table["celery.enableDefault"] = says("there are the sets that the values name")

    def rule(result: Result, source: str, value: Any) -> None:
        walk(result, source, value, table)

    return rule


def _sets(result: Result, source: str, value: Any) -> None:
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        if not isinstance(item, dict):
            result.note(source, UNLIKE)
            continue
        given = dict(item)
        name = str(given.pop("name", number))
        section = f"airflow.celery.workers.{name}"
        walk(result, f"{source}[{number}]", given, worker_set(section))
