"""`make usage`: how tasks used slots and requests, how long they waited, what to correct."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ..airflow.usage import usage_job
from ..errors import CommandError
from ..kubectl.client import KubectlError
from ..kubernetes.manifest import PART_OF
from ..kubernetes.reserved import reserved
from ..settings.quantities import amount
from .installed_release import COMPONENT
from .jobs import run_job
from .target import Target

METRICS = "/apis/metrics.k8s.io/v1beta1/namespaces/{}/pods"
SCHEDULER = "airflow-scheduler"
MARGIN = 1.1
"""Times the most that was used, as a request of memory: a pod that needs more may be killed."""

GIB, MIB = 2**30, 2**20
STEP = 16 * MIB
LONGEST = 366
LABEL = f"app.kubernetes.io/part-of={PART_OF}"
REQUESTED = ("CORE HOURS", "USED", "GIB HOURS", "USED")
WAITED = ("P50", "P95", "P99")
NOTES = (
    "Core and GiB hours: what pods of tasks requested, and used; of memory a pod's most, with its",
    "page cache, for all of its time. Not measured: single tasks on workers and in schedulers (see",
    "their pods), pods that tasks launch, pods that were killed.",
)

Row = tuple[str, ...]


def usage(target: Target, days: int) -> None:
    """Print the use of the last days. Raises CommandError before the first `up`, and RolloutError
    if the database cannot be read.
    """
    if not 1 <= days <= LONGEST:
        raise CommandError(f"DAYS={days}: write a number from 1 to {LONGEST}")
    kubectl = target.kubectl
    image = next(
        (
            str(scheduler["spec"]["template"]["spec"]["containers"][0]["image"])
            for scheduler in kubectl.get("deployment", SCHEDULER)
        ),
        None,
    )
    if image is None:
        raise CommandError(f"there is no Airflow: run make up ENV={target.environment} first")
    name = f"airflow-usage-{datetime.now(UTC):%Y%m%dt%H%M%S%f}"
    log = run_job(target, usage_job(target.settings, name, image, days), quiet=True)
    found = json.loads(log.splitlines()[-1])
    print("\n".join([*report(target.environment, found), "", *_now(target)]))


def report(environment: str, found: dict[str, Any]) -> Iterator[str]:
    """The lines about a summary (images/airflow/usage_summary.py)."""
    since, until = (
        f"{datetime.fromtimestamp(found[key], UTC):%Y-%m-%d %H:%M}" for key in ("since", "until")
    )
    yield f"{environment}: tasks from {since} to {until} UTC; p50, p95, p99: seconds in the queue"
    yield ""
    day = ("P50 1D", "P95 1D", "P99 1D")
    yield from table(
        ("QUEUE", "TRIES", "BUSY", "MOST", *REQUESTED, *day, *WAITED),
        (
            (
                name,
                str(queue["tries"]),
                *map(_number, (queue["busy"], queue["busy_most"])),
                *_hours(queue),
                *map(_number, queue["waited_last_day"] + queue["waited"]),
            )
            for name, queue in sorted(found["queues"].items())
        ),
    )
    yield ""
    yield from table(
        ("PLACE", "TRIES", "BUSY", "MOST", "SLOTS", "IDLE"),
        (
            (
                name,
                str(place["tries"]),
                *map(_number, (place["busy"], place["busy_most"])),
                str(place["slots"] or "-"),
                "-" if place["idle"] is None else f"{place['idle']:.0%}",
            )
            for name, place in sorted(found["places"].items())
        ),
    )
    yield ""
    yield from table(
        ("DAG", "TRIES", "SLOT HOURS", *REQUESTED, *WAITED),
        (
            (
                dag["dag"],
                str(dag["tries"]),
                _number(dag["slot_hours"]),
                *_hours(dag),
                *map(_number, dag["waited"]),
            )
            for dag in found["dags"]
        ),
    )
    if found["other_dags"]:
        yield f"and {found['other_dags']} more"
    yield ""
    yield from table(
        ("REQUESTS TO CORRECT", "PODS", "CPU", "USED", "SET", "MEMORY", "USED", "SET"),
        map(_task, found["tasks"]),
    )
    yield ""
    yield from NOTES


def table(head: Row, rows: Iterable[Row]) -> Iterator[str]:
    """Rows in columns, the first one to the left; `none` without rows."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *others in lines:
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        yield "  ".join([first.ljust(widths[0]), *cells])
    if len(lines) == 1:
        yield "none"


def _task(task: Mapping[str, Any]) -> Row:
    """A task: what its pods request and use, and what to set."""
    return (
        f"{task['dag']}.{task['task']}",
        str(task["pods"]),
        _cpu(task["cpu_requested"]),
        _cpu(task["cpu"]),
        _cpu(math.ceil(100 * task["cpu"]) / 100),
        _memory(task["memory_requested"]),
        _memory(task["memory"]),
        _memory(math.ceil(MARGIN * task["memory"] / STEP) * STEP),
    )


def _now(target: Target) -> Iterator[str]:
    """The lines about the pods that run now: their requests, and what the metrics API says."""
    kubectl = target.kubectl
    running = kubectl.get("pods", f"--selector={LABEL}", "--field-selector=status.phase=Running")
    try:
        metrics = json.loads(kubectl.run("get", "--raw", METRICS.format(kubectl.namespace)))
    except KubectlError:
        yield "pods now: not measured, for the cluster has no metrics API (metrics-server)"
        return
    used = {item["metadata"]["name"]: item["containers"] for item in metrics["items"]}
    rows = defaultdict[str, list[tuple[float, ...]]](list)
    for pod in running:
        usages = [container["usage"] for container in used.get(pod["metadata"]["name"], ())]
        rows[pod["metadata"]["labels"][COMPONENT]].append(
            tuple(
                number
                for name in ("cpu", "memory")
                for number in (
                    reserved(pod["spec"], "requests", name),
                    sum(amount(usage[name]) for usage in usages),
                )
            )
        )
    yield from table(
        ("NOW", "PODS", "CPU", "USED", "MEMORY", "USED"),
        (
            (name, str(len(pods)), _cpu(cpu), _cpu(cpu_used), _memory(memory), _memory(memory_used))
            for name, pods in sorted(rows.items())
            for cpu, cpu_used, memory, memory_used in [map(sum, zip(*pods, strict=True))]
        ),
    )


def _number(number: float | None) -> str:
    """As `0.13`, `1.30`, `13`."""
    if number is None:
        return "-"
    return f"{number:.0f}" if number >= 10 else f"{number:.2f}"


def _hours(found: Mapping[str, Any]) -> Iterator[str]:
    """Core hours and GiB hours that were requested, each with the share that was used."""
    for name, unit in (("cpu", 1), ("memory", GIB)):
        used, requested = found[name], found[f"{name}_requested"]
        yield _number(requested / unit) if found["pods"] else "-"
        yield f"{used / requested:.0%}" if requested else "-"


def _cpu(cores: float) -> str:
    return f"{round(1000 * cores)}m"


def _memory(size: float) -> str:
    return f"{round(size / MIB)}Mi"
