"""Effects of a deployment: what restarts and for how long, what is lost, what is refused.

Durations are rough, for a node that has the image; where the program's own waits decide, they are
those. A changed ConfigMap alone restarts nothing: pods carry a checksum of what they read at start.
"""

import re
from collections.abc import Iterable
from typing import Any

from ..airflow.dag_processor import DAG_PROCESSOR
from ..airflow.image_catalog import WITH_DAGS
from ..airflow.task_images import CONFIG_MAP as TASK_IMAGES
from ..airflow.task_pod import TEMPLATE_CONFIG_MAP as POD_TEMPLATE
from ..broker import redis
from ..comparison.changes import Change, Operation
from ..comparison.leaves import MISSING, Path, dotted
from ..database import mysql
from .model import Effect
from .objects import name_of
from .stack_config import CLUSTER

CLAIM = "PersistentVolumeClaim"
TEMPLATE = ("spec", "template")
REPLICAS = ("spec", "replicas")
LAYER = re.compile(rf"({'|'.join(WITH_DAGS.values())}):[0-9a-f]{{16}}(@sha256:[0-9a-f]{{64}})?")
"""A reference to an image with DAGs, without its registry."""

DRAINS = 120
"""Seconds of grace period from which on a pod is one that finishes its tasks before it stops."""

NOTES = {
    (*TEMPLATE, "metadata", "labels", "app.kubernetes.io/version"): (
        "ANOTHER RELEASE",
        "From Airflow {} to {}: make up refuses that. make upgrade stops Airflow, takes a backup, "
        "migrates the database and starts Airflow again. Nothing runs meanwhile, and MySQL cannot "
        "undo a migration",
    ),
    ("data", "AIRFLOW__CORE__EXECUTOR"): (
        "another executor",
        "From {} to {}: running tasks finish, and the new scheduler waits for them (at most "
        "airflow.tasks.gracePeriod); queued tasks are queued again",
    ),
    (*TEMPLATE, "metadata", "annotations", "airflow-kubernetes/secrets-revision"): (
        "secrets rotated",
        "secrets.revision {} → {}: pods that use secrets restart with what the Secrets hold now",
    ),
}
"""`what` and `text` by the path whose value changes."""


def notes(changes: Iterable[Change]) -> tuple[Effect, ...]:
    """What concerns the whole environment: another release or executor, a stop, new secrets.

    Or that nothing has changed but DAGs.
    """
    changes = tuple(changes)
    values: dict[Path, list[tuple[Any, Any]]] = {}
    for change in changes:
        for each in change.differences:
            if MISSING not in (each.old, each.new):
                values.setdefault(each.path, []).append((each.old, each.new))
    result = [
        Effect(what, text.format(*pair))
        for path, (what, text) in NOTES.items()
        for pair in sorted({(str(old), str(new)) for old, new in values.get(path, ())})
    ]
    if stopped := sum(new == 0 for _, new in values.get(REPLICAS, ())):
        text = f"{stopped} workloads get 0 replicas: they stop until that is undone"
        result.append(Effect("STOPPED", text))
    if changes and all(map(_dags_alone, changes)):
        result.append(
            Effect("DAGs only", "restarts the DAG processor, about 6 s; make dags is enough")
        )
    return tuple(result)


def _dags_alone(change: Change) -> bool:
    """Whether an object differs in the images with DAGs alone."""
    return change.operation is Operation.UPDATE and all(
        each.old != each.new and LAYER.sub("", str(each.old)) == LAYER.sub("", str(each.new))
        for each in change.differences
    )


RESTARTS = (
    "unavailable", "drains", "rolls", "restarts", "runs", "starts", "stops", "scales", "later",
)  # fmt: skip
"""What can happen to the pods of a workload, the worst first."""

_Restart = tuple[str, str] | None
"""One of RESTARTS, and a sentence without its subject."""

LATER = {
    "CronJob": "applies from its next run on",
    POD_TEMPLATE: "applies to task pods that start later; running ones finish unchanged",
    TASK_IMAGES: "reaches running pods within two minutes and applies to tasks that start then",
}
"""What a change of a kind, or of a ConfigMap, does without a restart."""

OUTAGES = {
    mysql.NAME: "the database is unavailable for about 30 s, longer after a large buffer pool, and "
    "Airflow with it: no logins, no task starts. A task that needs it meanwhile may fail, and is "
    "tried again as often as its retries say",
    redis.NAME: "the broker is unavailable for about 10 s; queued messages are kept",
}


def restarts(changes: Iterable[Change]) -> tuple[Effect, ...]:
    """Everything that starts, stops or restarts; the worst first."""
    found = [
        Effect(*restart, change.kind, name_of(change))
        for change in changes
        if (restart := _restart(change))
    ]
    return tuple(sorted(found, key=lambda each: (RESTARTS.index(each.what), each.kind, each.name)))


def _restart(change: Change) -> _Restart:
    match change.kind:
        case "Deployment":
            return _deployment(change)
        case "StatefulSet":
            return _stateful_set(change)
        case "Job" if change.after is not None:
            return "runs", "runs again" if change.before is not None else "runs"
        case "CronJob" | "ConfigMap" if change.before and change.after:
            text = LATER.get(change.kind, LATER.get(change.name))
            return ("later", text) if text else None
    return None


def _deployment(change: Change) -> _Restart:
    before, after = change.before, change.after
    # None where an autoscaler decides.
    old, new = (obj["spec"].get("replicas") if obj else 0 for obj in (before, after))
    if before is None or old == 0:
        return None if new == 0 else ("starts", "starts")
    seconds = int(before["spec"]["template"]["spec"].get("terminationGracePeriodSeconds", 30))
    drains = seconds >= DRAINS
    wait = f", after its running tasks have finished (up to {seconds} s)" if drains else ""
    if after is None or new == 0:
        return "stops", f"stops{wait}"
    if change.operation is Operation.REPLACE:
        return "unavailable", f"is deleted and created again: unavailable for about 1 min{wait}"
    if not _template_changes(change):
        return ("scales", _scales(old, new)) if old != new else None
    if change.name == DAG_PROCESSOR or change.name.startswith(f"{DAG_PROCESSOR}-"):
        return "restarts", "restarts: DAGs are read again after about 6 s; all else goes on"
    if after["spec"].get("strategy", {}).get("type") == "Recreate":
        return "unavailable", (
            f"stops, then starts: unavailable for about 1 min{wait}. No task starts in the "
            "meantime; tasks in pods or workers of their own go on"
        )
    if drains:
        return "drains", (
            "rolls: old pods take no more tasks and finish those they have, up to "
            f"{seconds} s, next to the new ones"
        )
    count = "1 pod" if new == 1 else f"{new} pods, one at a time" if new else "one pod at a time"
    return "rolls", f"rolls ({count}) and stays available: about 1 min a pod"


def _scales(old: int | None, new: int | None) -> str:
    if new is None:
        return f"has {old} pods; an autoscaler goes on from 1"
    if old is None:
        return f"has {new} pods, whatever an autoscaler made it"
    return f"scales from {old} to {new} pods"


def _stateful_set(change: Change) -> _Restart:
    if change.before is None:
        return "starts", "starts on its claim"
    if change.after is None:
        return "stops", "stops"
    replaced = change.operation is Operation.REPLACE
    if not replaced and not _template_changes(change):
        return None
    verb = "is deleted and created again" if replaced else "restarts"
    outage = OUTAGES.get(change.name, "unavailable until it is ready again")
    return "unavailable", f"{verb}: {outage}"


def _template_changes(change: Change) -> bool:
    return any(each.path[:2] == TEMPLATE for each in change.differences)


def gone(environment: str, objects: int) -> Effect:
    """The end of an environment whose values file is gone."""
    return Effect(
        f"ENVIRONMENT GONE, its {objects} objects left alone",
        "No deployment deletes them: they run on, and nothing manages them",
        remedy=f"before merging, run make down ENV={environment}; or keep the values file",
    )


MOVED = Effect(
    "ANOTHER CLUSTER",
    "A deployment creates everything again there, without the data, and Pulumi removes what is on "
    "the old one",
    paths=(CLUSTER,),
    remedy="back up first and restore there, or leave the context as it was",
)

LOST = {
    (CLAIM, mysql.NAME): "The metadata database",
    (CLAIM, redis.NAME): "The broker's volume (messages of queued tasks; the scheduler sends them "
    "again)",
    (CLAIM, None): "What is on the volume",
    ("Secret", None): "Generated passwords and keys, and what is encrypted with them,",
    ("Namespace", None): "Everything in the namespace",
}
"""What an object holds, by its kind and name, or by its kind."""


def destructive(changes: Iterable[Change]) -> tuple[Effect, ...]:
    """Deletions and replacements of what holds data or secrets, or is a server.

    First those of protected objects, at which the deployment stops: neither engine removes them.
    """
    found = [
        change
        for change in changes
        if change.operation in (Operation.DELETE, Operation.REPLACE)
        and (change.blocked or change.kind in (CLAIM, "StatefulSet"))
    ]
    found.sort(key=lambda change: (not change.blocked, change.kind, change.name))
    return tuple(map(_loss, found))


def _loss(change: Change) -> Effect:
    deleted = change.operation is Operation.DELETE
    general = LOST.get((change.kind, None), "What it holds")
    lost = LOST.get((change.kind, change.name), general)
    if change.blocked:
        kubectl = "the API server refuses it" if change.refused else "it stays where it is"
        text = (
            f"{lost} would be lost. It is protected: Pulumi refuses and stops there; under kubectl "
            f"{kubectl}"
        )
        remedy = (
            "leave the field or the object as it was; else make a backup, remove the protection "
            "manually and restore afterwards"
        )
    elif change.kind == CLAIM:
        text, remedy = f"{lost} is lost", "make a backup of what is still needed"
    elif deleted:
        text = "The server ends; what happens to its claim is listed separately"
        remedy = "deploy when nothing uses it"
    else:
        text = "The server is unavailable until the new one is ready; its claim stays"
        remedy = "deploy when nothing runs"
    return _risk(change, "DELETED" if deleted else "REPLACED", change.replacing, text, remedy)


def refused(changes: Iterable[Change]) -> tuple[Effect, ...]:
    """Changes at which a deployment stops as the API server refuses them; not the destructive."""
    found = []
    for change in changes:
        if change.kept:
            text = (
                "The Secret was written once, and its values belong to the data: pulumi up leaves "
                "them unchanged, and make up stops, under either engine"
            )
            remedy = "leave the values as they were, or change the Secret manually as well"
            found.append(_risk(change, "KEPT", change.kept, text, remedy))
        paths = [path for path in change.refused if path not in change.kept]
        if not paths or change.blocked:
            continue
        what, remedy = "REFUSED", "leave the field as it was"
        text = "The API server refuses it under both engines, and the deployment stops"
        if not change.fails:
            what = "REFUSED BY KUBECTL"
            text = (
                "Under kubectl the API server refuses it and the deployment stops; Pulumi replaces"
            )
            remedy = "under kubectl delete the object first; make up then creates it again"
        elif change.kind == CLAIM:
            text, remedy = f"{text}: a claim only grows", "set the old size, or a larger one"
        found.append(_risk(change, what, paths, text, remedy))
    return tuple(found)


def stops(risks: Iterable[Effect]) -> bool:
    """Whether a deployment stops half-way, under either engine."""
    return any(effect.what == "REFUSED" for effect in risks)


def _risk(change: Change, what: str, paths: Iterable[Path], text: str, remedy: str) -> Effect:
    return Effect(what, text, change.kind, name_of(change), tuple(map(dotted, paths)), remedy)
