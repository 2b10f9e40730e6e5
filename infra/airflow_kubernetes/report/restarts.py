"""What a deployment starts, stops, rolls or restarts, and for how long something is away.

Durations are rough, for a node that has the image; they are the program's own waits where those
decide. A ConfigMap's change alone rolls nothing: pods carry a checksum of what they read at start.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..airflow.task_images import CONFIG_MAP as TASK_IMAGES
from ..airflow.task_pod import TEMPLATE_CONFIG_MAP as POD_TEMPLATE
from ..broker import redis
from ..comparison.changes import Change, Operation
from ..comparison.leaves import MISSING, Difference
from ..database import mysql
from ..kubernetes.manifest import Manifest
from .objects import name_of

TEMPLATE = ("spec", "template")
REPLICAS = ("spec", "replicas")
VERSION = (*TEMPLATE, "metadata", "labels", "app.kubernetes.io/version")
EXECUTOR = ("data", "AIRFLOW__CORE__EXECUTOR")
DRAINS = 120
"""Seconds of grace from which a pod is one that ends tasks before it goes."""


class How(StrEnum):
    """What happens to the pods of a workload, the worst first."""

    AWAY = "away"
    DRAINS = "drains"
    ROLLS = "rolls"
    RUNS = "runs"
    STARTS = "starts"
    STOPS = "stops"
    SCALES = "scales"
    LATER = "later"


ORDER = tuple(How)


@dataclass(frozen=True)
class Restart:
    """What happens to one workload, in a sentence without its subject."""

    kind: str
    name: str
    how: How
    text: str


def restarts(changes: Iterable[Change]) -> tuple[Restart, ...]:
    """Everything that starts, stops or restarts, what is away first."""
    found = [one for change in changes for one in _restart(change)]
    return tuple(sorted(found, key=lambda one: (ORDER.index(one.how), one.kind, one.name)))


@dataclass(frozen=True)
class Note:
    """Something that the whole environment goes through, in few words and in full."""

    headline: str
    text: str


def notes(changes: Iterable[Change]) -> tuple[Note, ...]:
    """Another release, another executor, a stop."""
    found = [one for change in changes for one in change.differences if _is_both(one)]
    result = []
    releases = {(str(one.old), str(one.new)) for one in found if one.path == VERSION}
    for old, new in sorted(releases):
        text = (
            f"From Airflow {old} to {new}: make up refuses that. make upgrade stops Airflow, takes "
            "a backup, migrates the database and starts Airflow again. Nothing runs meanwhile, and "
            "MySQL cannot undo a migration"
        )
        result.append(Note("ANOTHER RELEASE", text))
    for one in found:
        if one.path == EXECUTOR:
            text = (
                f"From {one.old} to {one.new}: tasks that run go on to their end, and the new "
                "scheduler waits for them (at most airflow.tasks.gracePeriod); queued ones are "
                "queued again"
            )
            result.append(Note("another executor", text))
    stopped = sum(one.path == REPLICAS and one.new == 0 for one in found)
    if stopped:
        text = f"{stopped} workloads get 0 replicas: they stop until that is undone"
        result.append(Note("STOPPED", text))
    return tuple(result)


def _restart(change: Change) -> Iterator[Restart]:
    describe = {
        "Deployment": _deployment,
        "StatefulSet": _stateful_set,
        "Job": _job,
        "CronJob": _cron_job,
        "ConfigMap": _config_map,
    }.get(change.kind)
    found = describe(change) if describe else None
    if found is not None:
        how, text = found
        yield Restart(change.kind, name_of(change), how, text)


def _deployment(change: Change) -> tuple[How, str] | None:
    before, after = change.before, change.after
    if after is None or _replicas(after) == 0:
        stops = before is not None and _replicas(before) != 0
        return (How.STOPS, f"stops{_grace(before)}") if stops else None
    if before is None or _replicas(before) == 0:
        return How.STARTS, "starts"
    if change.operation is Operation.REPLACE:
        return How.AWAY, f"is deleted and made anew: away for about 1 min{_grace(before)}"
    if not _template_changes(change):
        if any(one.path == REPLICAS for one in change.differences):
            return How.SCALES, f"scales from {_replicas(before)} to {_replicas(after)} pods"
        return None
    pods = _replicas(after)
    if after["spec"].get("strategy", {}).get("type") == "Recreate":
        return How.AWAY, (
            f"stops, then starts: away for about 1 min{_grace(before)}. No task is started in the "
            "meantime; those in pods or workers of their own go on"
        )
    if _seconds(before) >= DRAINS:
        return How.DRAINS, (
            "rolls: old pods take no more tasks and end those they have, up to "
            f"{_seconds(before)} s, beside the new ones"
        )
    count = "1 pod" if pods == 1 else f"{pods} pods, one at a time" if pods else "one pod at a time"
    return How.ROLLS, f"rolls ({count}) and stays available: about 1 min a pod"


def _stateful_set(change: Change) -> tuple[How, str] | None:
    if change.before is None:
        return How.STARTS, "starts on its claim"
    if change.after is None:
        return How.STOPS, "stops"
    if change.operation is not Operation.REPLACE and not _template_changes(change):
        return None
    verb = "is deleted and made anew" if change.operation is Operation.REPLACE else "restarts"
    name = name_of(change)
    if name == mysql.NAME:
        return How.AWAY, (
            f"{verb}: the database is away for about 30 s, longer after a large buffer pool, and "
            "Airflow with it: no logins, no task starts. A task that needs it meanwhile may fail, "
            "and is tried again as often as its retries say"
        )
    if name == redis.NAME:
        return How.AWAY, f"{verb}: the broker is away for about 10 s; queued messages are kept"
    return How.AWAY, f"{verb}: away until it is ready again"


def _job(change: Change) -> tuple[How, str] | None:
    if change.after is None:
        return None
    return How.RUNS, "runs again" if change.before is not None else "runs"


def _cron_job(change: Change) -> tuple[How, str] | None:
    if change.before is None or change.after is None:
        return None
    return How.LATER, "is as new from its next run on"


def _config_map(change: Change) -> tuple[How, str] | None:
    if change.before is None or change.after is None:
        return None
    if name_of(change) == POD_TEMPLATE:
        return (
            How.LATER,
            "task pods that start later are as new; those that run end as they are",
        )
    if name_of(change) == TASK_IMAGES:
        return How.LATER, "is in running pods within a minute or two; tasks that start then use it"
    return None


def _template_changes(change: Change) -> bool:
    return any(one.path[:2] == TEMPLATE for one in change.differences)


def _replicas(obj: Manifest) -> int | None:
    """None where an autoscaler decides."""
    number = obj["spec"].get("replicas")
    return None if number is None else int(number)


def _seconds(obj: Manifest) -> int:
    spec: dict[str, Any] = obj["spec"]["template"]["spec"]
    return int(spec.get("terminationGracePeriodSeconds", 30))


def _grace(obj: Manifest | None) -> str:
    if obj is None or _seconds(obj) < DRAINS:
        return ""
    return f", after its running tasks have ended (up to {_seconds(obj)} s)"


def _is_both(one: Difference) -> bool:
    return one.old is not MISSING and one.new is not MISSING
