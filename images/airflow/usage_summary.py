"""How tasks used slots and requests: sums and percentiles over their tries and their pods.

There may be a million of each. So each is added to one sum alone, of its DAG, queue and place; the
sums of these are made from that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from distributions import Busy, Percentiles
from task_location import place_of

DAY = 86400.0
PERCENTS = (50, 95, 99)
DAGS, TASKS = 20, 5
"""How many are named."""

GIB_OF_A_CORE = 4
"""Memory that costs as much as a core: that is the proportion in nodes for general purposes."""


class Try(NamedTuple):
    """A try of a task: times in seconds since 1970; `end` is None while it runs."""

    dag: str
    queue: str
    host: str
    queued: float | None
    start: float
    end: float | None


class Tries:
    """The number of tries, their slot hours, and seconds in the queue."""

    def __init__(self) -> None:
        self.number, self.hours = 0, 0.0
        self.waited_last_day, self.waited_before = Percentiles(), Percentiles()

    def __iadd__(self, other: Tries) -> Tries:
        self.number += other.number
        self.hours += other.hours
        self.waited_last_day += other.waited_last_day
        self.waited_before += other.waited_before
        return self

    def result(self) -> dict[str, Any]:
        """As it is printed."""
        waited = Percentiles()
        waited += self.waited_before
        waited += self.waited_last_day
        return {
            "tries": self.number,
            "slot_hours": self.hours,
            "waited_last_day": [self.waited_last_day.at(percent) for percent in PERCENTS],
            "waited": [waited.at(percent) for percent in PERCENTS],
        }


class Used:
    """What pods of tasks requested and used (`Use` of config/task_pods/use.py)."""

    def __init__(self) -> None:
        self.pods, self.hours = 0, 0.0
        self.cpu_requested = self.cpu = self.memory_requested = self.memory = 0.0
        self.cpus, self.peak = Percentiles(), 0
        self.last: dict[str, Any] = {}

    def add(self, use: dict[str, Any]) -> None:
        """Add what one pod used."""
        seconds, cpu, memory = use["seconds"], use["cpu_seconds"], use["memory_peak"]
        hours = seconds / 3600
        self.pods += 1
        self.hours += hours
        self.cpu_requested += use["cpu_requested"] * hours
        self.cpu += cpu / 3600
        self.memory_requested += use["memory_requested"] * hours
        self.memory += memory * hours
        self.cpus.add(cpu / seconds)
        self.peak = max(self.peak, memory)
        self.last = use

    def __iadd__(self, other: Used) -> Used:
        """The sums of both; not what is of one task."""
        self.pods += other.pods
        self.cpu_requested += other.cpu_requested
        self.cpu += other.cpu
        self.memory_requested += other.memory_requested
        self.memory += other.memory
        return self

    def sums(self) -> dict[str, Any]:
        """Hours of cores and of bytes; of memory the peak counts for all of a pod's time."""
        return {
            "pods": self.pods,
            "cpu_requested": self.cpu_requested,
            "cpu": self.cpu,
            "memory_requested": self.memory_requested,
            "memory": self.memory,
        }

    def wrong(self) -> float:
        """How far a task's requests were from its use, in core hours, too much or too little."""
        cpu = abs(self.last["cpu_requested"] - (self.cpus.at(95) or 0))
        memory = abs(self.last["memory_requested"] - self.peak) / 2**30
        return (cpu + memory / GIB_OF_A_CORE) * self.hours

    def needed(self) -> dict[str, Any]:
        """A task's last requests, in cores and bytes, and what nearly all of its pods need."""
        return {
            "pods": self.pods,
            "cpu_requested": self.last["cpu_requested"],
            "cpu": self.cpus.at(95),
            "memory_requested": self.last["memory_requested"],
            "memory": self.peak,
        }


def summary(
    tries: Iterable[Try],
    uses: Iterable[tuple[str, str, str, dict[str, Any]]],
    slots: Mapping[str, int],
    since: float,
    until: float,
) -> dict[str, Any]:
    """What is printed. `uses` are DAG, queue, task, and what a pod of it used."""
    of_tries, busy = _tries(tries, since, until)
    used: defaultdict[tuple[str, str, str], Used] = defaultdict(Used)
    for dag, queue, task, use in uses:
        used[dag, queue, task].add(use)
    dags, queues, places = (_by(position, of_tries, Tries) for position in range(3))
    used_by_dag, used_by_queue = (_by(position, used, Used) for position in range(2))

    def no_time() -> Busy:
        return Busy(since, until)

    busy_queues, busy_places = (_by(position, busy, no_time) for position in range(2))
    largest = sorted(dags, key=lambda dag: -dags[dag].hours)
    worst = sorted(used, key=lambda task: -used[task].wrong())
    return {
        "since": since,
        "until": until,
        "queues": {
            name: found.result() | used_by_queue[name].sums() | _busy(busy_queues[name])
            for name, found in queues.items()
        },
        "places": {
            name: places[name].result() | _busy(busy_places[name], slots.get(name, 0))
            for name in {**places, **slots}
        },
        "dags": [
            {"dag": dag, **dags[dag].result(), **used_by_dag[dag].sums()} for dag in largest[:DAGS]
        ],
        "other_dags": len(largest[DAGS:]),
        "tasks": [
            {"dag": dag, "task": task, **used[dag, queue, task].needed()}
            for dag, queue, task in worst[:TASKS]
        ],
    }


def _tries(
    tries: Iterable[Try], since: float, until: float
) -> tuple[dict[tuple[str, str, str], Tries], dict[tuple[str, str], Busy]]:
    """Sums by DAG, queue and place, and slots by queue and place."""
    sums: defaultdict[tuple[str, str, str], Tries] = defaultdict(Tries)
    busy: defaultdict[tuple[str, str], Busy] = defaultdict(lambda: Busy(since, until))
    for dag, queue, host, queued, start, end in tries:
        place = place_of(host)
        found = sums[dag, queue, place]
        # A task that was deferred is queued again after its start, and has no slot until then.
        begin = start
        if queued is not None and queued > start:
            begin = queued
        elif queued is not None:
            waits = found.waited_last_day if start >= until - DAY else found.waited_before
            waits.add(start - queued)
        end = until if end is None or end > until else end
        begin = min(max(begin, since), end)
        found.number += 1
        found.hours += (end - begin) / 3600
        busy[queue, place].add(begin, end)
    return sums, busy


def _by(
    position: int, found: Mapping[Any, Any], nothing: Callable[[], Any]
) -> defaultdict[str, Any]:
    """The sums of all whose keys have the same in one position."""
    sums: defaultdict[str, Any] = defaultdict(nothing)
    for key, one in found.items():
        sums[key[position]] += one
    return sums


def _busy(found: Busy, slots: int = 0) -> dict[str, Any]:
    return {
        "busy": found.mean(),
        "busy_most": found.most(),
        "slots": slots,
        "idle": found.idle(slots) if slots else None,
    }
