"""Percentiles of many numbers, and how many slots were busy over a time, in little memory."""

import math
from collections import defaultdict
from collections.abc import Iterator

STEPS = 60480
"""Into how many steps a time is divided: in a week, 10 s each."""

RATIO = 1.04
"""Of a bucket's number to that of the one before it."""

LEAST = 0.001


class Percentiles:
    """Of numbers from a thousandth on, with an error of up to 2 %."""

    def __init__(self) -> None:
        self.number = 0
        self._buckets: dict[int, int] = defaultdict(int)

    def add(self, value: float) -> None:
        """Add a number; a smaller one than LEAST counts as LEAST."""
        self.number += 1
        self._buckets[round(math.log(max(value, LEAST)) / math.log(RATIO))] += 1

    def at(self, percent: float) -> float | None:
        """The number that `percent` of them do not exceed; None without any."""
        missing = math.ceil(self.number * percent / 100)
        for bucket, count in sorted(self._buckets.items()):
            missing -= count
            if missing <= 0:
                return round(float(RATIO**bucket), 3)
        return None


class Busy:
    """How many slots were busy, in steps from `since` to `until` (seconds since 1970)."""

    def __init__(self, since: float, until: float) -> None:
        self._since, self._step = since, (until - since) / STEPS
        self._changes, self._parts = [0] * (STEPS + 1), [0.0] * (STEPS + 1)

    def add(self, begin: float, end: float) -> None:
        """A slot that was busy within that time, from `begin` to `end`."""
        first, last = ((time - self._since) / self._step for time in (begin, end))
        if int(first) == int(last):
            self._parts[int(first)] += last - first
            return
        self._parts[int(first)] += int(first) + 1 - first
        self._parts[int(last)] += last - int(last)
        self._changes[int(first) + 1] += 1
        self._changes[int(last)] -= 1

    def levels(self) -> Iterator[float]:
        """The mean of each step."""
        whole = 0
        for change, part in zip(self._changes[:STEPS], self._parts[:STEPS], strict=True):
            whole += change
            yield whole + part

    def mean(self) -> float:
        """The mean of the whole time."""
        return sum(self.levels()) / STEPS

    def most(self) -> float:
        """The greatest mean of a step."""
        return max(self.levels())

    def idle(self, slots: int) -> float:
        """Which share of so many slots was not busy."""
        return sum(max(0.0, slots - level) for level in self.levels()) / (slots * STEPS)
