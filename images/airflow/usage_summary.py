"""How tasks used slots and requests: sums and percentiles over their tries and their pods."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
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

    @property
    def wait(self) -> float | None:
        """Seconds from queue to start; None for a deferred task, which was queued after it."""
        return None if self.queued is None or self.queued > self.start else self.start - self.queued

    def busy(self, since: float, until: float) -> tuple[float, float]:
        """When it had a slot within that time; not while it was deferred."""
        end = until if self.end is None else min(self.end, until)
        return min(max(self.start, self.queued or 0.0, since), end), end


class Tries:
    """Tries of a DAG, a queue or a place: their number, slot hours, and seconds in the queue."""

    def __init__(self, since: float, until: float) -> None:
        self._since, self._until = since, until
        self.hours, self._number = 0.0, 0
        self._day, self._all = Percentiles(), Percentiles()

    def add(self, one: Try) -> None:
        """Add a try."""
        begin, end = one.busy(self._since, self._until)
        self._number += 1
        self.hours += (end - begin) / 3600
        if one.wait is not None:
            self._all.add(one.wait)
            if one.start >= self._until - DAY:
                self._day.add(one.wait)

    def result(self) -> dict[str, Any]:
        """As it is printed."""
        return {
            "tries": self._number,
            "slot_hours": self.hours,
            "waited_last_day": [self._day.at(percent) for percent in PERCENTS],
            "waited": [self._all.at(percent) for percent in PERCENTS],
        }


class Used:
    """What pods of tasks requested and used (`Use` of config/task_pods/use.py)."""

    def __init__(self) -> None:
        self._pods, self._hours = 0, 0.0
        self._cpu_requested = self._cpu = self._memory_requested = self._memory = 0.0
        self._cpus, self._peak = Percentiles(), 0
        self._last: dict[str, Any] = {}

    def add(self, use: dict[str, Any]) -> None:
        """Add what one pod used."""
        hours = use["seconds"] / 3600
        self._pods += 1
        self._hours += hours
        self._cpu_requested += use["cpu_requested"] * hours
        self._cpu += use["cpu_seconds"] / 3600
        self._memory_requested += use["memory_requested"] * hours
        self._memory += use["memory_peak"] * hours
        self._cpus.add(use["cpu_seconds"] / use["seconds"])
        self._peak = max(self._peak, use["memory_peak"])
        self._last = use

    def wrong(self) -> float:
        """How far the requests were from the use, in core hours: too little counts as too much."""
        cpu = abs(self._last["cpu_requested"] - (self._cpus.at(95) or 0))
        memory = abs(self._last["memory_requested"] - self._peak) / 2**30
        return (cpu + memory / GIB_OF_A_CORE) * self._hours

    def sums(self) -> dict[str, Any]:
        """Hours of cores and of bytes; of memory the peak counts for all of a pod's time."""
        return {
            "pods": self._pods,
            "cpu_requested": self._cpu_requested,
            "cpu": self._cpu,
            "memory_requested": self._memory_requested,
            "memory": self._memory,
        }

    def last(self) -> dict[str, Any]:
        """The last request, in cores and bytes, and what nearly all pods need."""
        return {
            "pods": self._pods,
            "cpu_requested": self._last["cpu_requested"],
            "cpu": self._cpus.at(95),
            "memory_requested": self._last["memory_requested"],
            "memory": self._peak,
        }


def summary(
    tries: Iterable[Try],
    uses: Iterable[tuple[Any, ...]],
    slots: Mapping[str, int],
    since: float,
    until: float,
) -> dict[str, Any]:
    """What is printed. `uses` are DAG, queue, task, and what a pod of it used."""

    def of_time() -> Tries:
        return Tries(since, until)

    dags, queues, places = (defaultdict[str, Tries](of_time) for _ in range(3))
    busy: dict[tuple[str, str], Busy] = defaultdict(lambda: Busy(since, until))
    for one in tries:
        place = place_of(one.host)
        for found, name in ((dags, one.dag), (queues, one.queue), (places, place)):
            found[name].add(one)
        for key in (("queue", one.queue), ("place", place)):
            busy[key].add(*one.busy(since, until))
    of_dags, of_queues = defaultdict[str, Used](Used), defaultdict[str, Used](Used)
    of_tasks = defaultdict[tuple[str, str], Used](Used)
    for dag, queue, task, use in uses:
        for used in (of_dags[dag], of_queues[queue], of_tasks[dag, task]):
            used.add(use)
    largest = sorted(dags, key=lambda dag: -dags[dag].hours)
    worst = sorted(of_tasks, key=lambda task: -of_tasks[task].wrong())
    return {
        "since": since,
        "until": until,
        "queues": {
            name: found.result() | of_queues[name].sums() | _busy(busy["queue", name])
            for name, found in queues.items()
        },
        "places": {
            name: places[name].result() | _busy(busy["place", name], slots.get(name, 0))
            for name in {**places, **slots}
        },
        "dags": [
            {"dag": dag, **dags[dag].result(), **of_dags[dag].sums()} for dag in largest[:DAGS]
        ],
        "other_dags": len(largest[DAGS:]),
        "tasks": [
            {"dag": dag, "task": task, **of_tasks[dag, task].last()} for dag, task in worst[:TASKS]
        ],
    }


def _busy(found: Busy, slots: int = 0) -> dict[str, Any]:
    return {
        "busy": found.mean(),
        "busy_most": found.most(),
        "slots": slots,
        "idle": found.idle(slots) if slots else None,
    }
