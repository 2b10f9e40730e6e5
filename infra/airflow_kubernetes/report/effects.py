"""Effects of a deployment: what restarts and for how long, what is lost, what is refused.

Durations are rough, for a node that has the image; where the program's own waits decide, they are
those. A changed ConfigMap alone restarts nothing: pods carry a checksum of what they read at start.
"""

from collections.abc import Iterable
from typing import Any

from ..airflow.pod_template import CONFIG_MAP as POD_TEMPLATE
from ..airflow.task_images import CONFIG_MAP as TASK_IMAGES
from ..broker import redis
from ..comparison.changes import Change, Operation
from ..comparison.leaves import MISSING, Path, dotted
from ..database import mysql
from ..kubernetes.manifest import Manifest
from .model import Effect
from .objects import name_of
from .stack_config import CLUSTER

TEMPLATE = ("spec", "template")
REPLICAS = ("spec", "replicas")
VERSION = (*TEMPLATE, "metadata", "labels", "app.kubernetes.io/version")
REVISION = (*TEMPLATE, "metadata", "annotations", "airflow-kubernetes/secrets-revision")
EXECUTOR = ("data", "AIRFLOW__CORE__EXECUTOR")
DRAINS = 120
"""Seconds of grace period from which on a pod is one that finishes its tasks before it stops."""

REFUSED = "REFUSED"


RESTARTS = ("unavailable", "drains", "rolls", "runs", "starts", "stops", "scales", "later")
"""What can happen to the pods of a workload, the worst first."""


def notes(changes: Iterable[Change]) -> tuple[Effect, ...]:
    """What concerns the whole environment: another release or executor, a stop, new secrets."""
    values: dict[Path, list[tuple[Any, Any]]] = {}
    for change in changes:
        for one in change.differences:
            if MISSING not in (one.old, one.new):
                values.setdefault(one.path, []).append((one.old, one.new))
    result = [
        Effect("", "", what, text.format(*pair))
        for path, (what, text) in NOTES.items()
        for pair in sorted({(str(old), str(new)) for old, new in values.get(path, ())})
    ]
    stopped = sum(new == 0 for _, new in values.get(REPLICAS, ()))
    if stopped:
        text = f"{stopped} workloads get 0 replicas: they stop until that is undone"
        result.append(Effect("", "", "STOPPED", text))
    return tuple(result)


NOTES = {
    VERSION: (
        "ANOTHER RELEASE",
        "From Airflow {} to {}: make up refuses that. make upgrade stops Airflow, takes a backup, "
        "migrates the database and starts Airflow again. Nothing runs meanwhile, and MySQL cannot "
        "undo a migration",
    ),
    EXECUTOR: (
        "another executor",
        "From {} to {}: running tasks finish, and the new scheduler waits for them (at most "
        "airflow.tasks.gracePeriod); queued tasks are queued again",
    ),
    REVISION: (
        "secrets rotated",
        "secrets.revision {} → {}: the pods that use secrets restart with what the Secrets hold "
        "now",
    ),
}
"""`what` and `text` by the path whose value changes."""


def restarts(changes: Iterable[Change]) -> tuple[Effect, ...]:
    """Everything that starts, stops or restarts; the worst first."""
    found = []
    for change in changes:
        describe = _DESCRIBE.get(change.kind)
        if describe and (described := describe(change)):
            found.append(Effect(change.kind, name_of(change), *described))
    return tuple(sorted(found, key=lambda one: (RESTARTS.index(one.what), one.kind, one.name)))


_Description = tuple[str, str] | None
"""One of RESTARTS, and a sentence without its subject."""


def _deployment(change: Change) -> _Description:
    before, after = change.before, change.after
    if after is None or _replicas(after) == 0:
        stops = before is not None and _replicas(before) != 0
        return ("stops", f"stops{_grace(before)}") if stops else None
    if before is None or _replicas(before) == 0:
        return "starts", "starts"
    if change.operation is Operation.REPLACE:
        return (
            "unavailable",
            f"is deleted and created again: unavailable for about 1 min{_grace(before)}",
        )
    if not _template_changes(change):
        if any(one.path == REPLICAS for one in change.differences):
            text = f"scales from {_replicas(before)} to {_replicas(after)} pods"
            return "scales", text
        return None
    if after["spec"].get("strategy", {}).get("type") == "Recreate":
        return "unavailable", (
            f"stops, then starts: unavailable for about 1 min{_grace(before)}. No task starts in "
            "the meantime; tasks in pods or workers of their own go on"
        )
    if _seconds(before) >= DRAINS:
        return "drains", (
            "rolls: old pods take no more tasks and finish those they have, up to "
            f"{_seconds(before)} s, next to the new ones"
        )
    pods = _replicas(after)
    count = "1 pod" if pods == 1 else f"{pods} pods, one at a time" if pods else "one pod at a time"
    return "rolls", f"rolls ({count}) and stays available: about 1 min a pod"


def _stateful_set(change: Change) -> _Description:
    if change.before is None:
        return "starts", "starts on its claim"
    if change.after is None:
        return "stops", "stops"
    replaced = change.operation is Operation.REPLACE
    if not replaced and not _template_changes(change):
        return None
    outage = OUTAGES.get(change.name, "unavailable until it is ready again")
    return (
        "unavailable",
        f"{'is deleted and created again' if replaced else 'restarts'}: {outage}",
    )


OUTAGES = {
    mysql.NAME: (
        "the database is unavailable for about 30 s, longer after a large buffer pool, and Airflow "
        "with it: no logins, no task starts. A task that needs it meanwhile may fail, and is tried "
        "again as often as its retries say"
    ),
    redis.NAME: "the broker is unavailable for about 10 s; queued messages are kept",
}


def _job(change: Change) -> _Description:
    if change.after is None:
        return None
    return "runs", "runs again" if change.before is not None else "runs"


def _later(change: Change) -> _Description:
    """What is updated in place, and read by what starts later."""
    text = LATER.get("CronJob" if change.kind == "CronJob" else change.name)
    if text is None or change.before is None or change.after is None:
        return None
    return "later", text


LATER = {
    "CronJob": "applies from its next run on",
    POD_TEMPLATE: "applies to task pods that start later; running ones finish unchanged",
    TASK_IMAGES: "reaches running pods within two minutes and applies to tasks that start then",
}

_DESCRIBE = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "Job": _job,
    "CronJob": _later,
    "ConfigMap": _later,
}


def _template_changes(change: Change) -> bool:
    return any(one.path[:2] == TEMPLATE for one in change.differences)


def _replicas(obj: Manifest) -> int | None:
    """None where an autoscaler decides."""
    number = obj["spec"].get("replicas")
    return None if number is None else int(number)


def _seconds(obj: Manifest) -> int:
    return int(obj["spec"]["template"]["spec"].get("terminationGracePeriodSeconds", 30))


def _grace(obj: Manifest | None) -> str:
    if obj is None or _seconds(obj) < DRAINS:
        return ""
    return f", after its running tasks have finished (up to {_seconds(obj)} s)"


def destructive(changes: Iterable[Change]) -> tuple[Effect, ...]:
    """Deletions and replacements of what holds data or secrets, or is a server.

    First those of protected objects, at which the deployment stops: neither engine removes them.
    """
    found = [
        change
        for change in changes
        if change.operation in (Operation.DELETE, Operation.REPLACE)
        and (change.blocked or change.kind in ("PersistentVolumeClaim", "StatefulSet"))
    ]
    found.sort(key=lambda change: (not change.blocked, change.kind, change.name))
    return tuple(map(_loss, found))


def gone(environment: str, objects: int) -> Effect:
    """The end of an environment whose values file is gone."""
    return Effect(
        "",
        "",
        f"ENVIRONMENT GONE, its {objects} objects left alone",
        "No deployment deletes them: they run on, and nothing manages them",
        remedy=f"before merging, run make down ENV={environment}; or keep the values file",
    )


MOVED = Effect(
    "",
    "",
    "ANOTHER CLUSTER",
    "A deployment creates everything again there, without the data, and Pulumi removes what is on "
    "the old one",
    (CLUSTER,),
    "back up first and restore there, or leave the context as it was",
)


def _loss(change: Change) -> Effect:
    what = "DELETED" if change.operation is Operation.DELETE else "REPLACED"
    if change.blocked:
        kubectl = "the API server refuses it" if change.refused else "it stays where it is"
        text = (
            f"{_content(change)} would be lost. It is protected: Pulumi refuses and stops there; "
            f"under kubectl {kubectl}"
        )
        remedy = (
            "leave the field or the object as it was; else make a backup, remove the protection "
            "manually and restore afterwards"
        )
    elif change.kind == "PersistentVolumeClaim":
        text = f"{_content(change)} is lost"
        remedy = "make a backup of what is still needed"
    elif change.operation is Operation.DELETE:
        text = "The server ends; what happens to its claim is listed separately"
        remedy = "deploy when nothing uses it"
    else:
        text = "The server is unavailable until the new one is ready; its claim stays"
        remedy = "deploy when nothing runs"
    return _risk(change, what, change.replacing, text, remedy)


def _content(change: Change) -> str:
    """What the object holds, at the beginning of a sentence."""
    if change.kind == "PersistentVolumeClaim":
        return {
            mysql.NAME: "The metadata database",
            redis.NAME: "The broker's volume (messages of queued tasks; the scheduler sends them "
            "again)",
        }.get(change.name, "What is on the volume")
    return {
        "Secret": "Generated passwords and keys, and what is encrypted with them,",
        "Namespace": "Everything in the namespace",
    }.get(change.kind, "What it holds")


def refused(changes: Iterable[Change]) -> tuple[Effect, ...]:
    """Changes that the API server refuses, so that the deployment stops at them.

    Without those that `destructive` has.
    """
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
        what, remedy = REFUSED, "leave the field as it was"
        text = "The API server refuses it under both engines, and the deployment stops"
        if change.operation is Operation.REPLACE:
            what = f"{REFUSED} BY KUBECTL"
            text = (
                "Under kubectl the API server refuses it and the deployment stops; Pulumi replaces"
            )
            remedy = "under kubectl delete the object first; make up then creates it again"
        elif change.kind == "PersistentVolumeClaim":
            text, remedy = f"{text}: a claim only grows", "set the old size, or a larger one"
        found.append(_risk(change, what, paths, text, remedy))
    return tuple(found)


def _risk(change: Change, what: str, paths: Iterable[Path], text: str, remedy: str) -> Effect:
    return Effect(change.kind, name_of(change), what, text, tuple(map(dotted, paths)), remedy)


def stops(refused: Iterable[Effect]) -> bool:
    """Whether the deployment stops half-way, under either engine."""
    return any(effect.what == REFUSED for effect in refused)
