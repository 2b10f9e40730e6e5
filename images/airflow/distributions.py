"""Percentiles of many numbers, and how many slots were busy over a time, in little memory. Two of a
kind add up with `+=`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

STEPS = 60480
"""Into how many steps a time is divided: in a week, 10 s each."""

RATIO = math.log(1.04)
"""Of a bucket's number to that of the one before it, as a logarithm."""

LEAST = 0.001


class Percentiles:
    """Of numbers from a thousandth on, with an error of up to 2 %."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()

    def add(self, value: float) -> None:
        """Add a number; a smaller one than LEAST counts as LEAST."""
        self._buckets[round(math.log(value if value > LEAST else LEAST) / RATIO)] += 1

    def __iadd__(self, other: Percentiles) -> Percentiles:
        self._buckets.update(other._buckets)
        return self

    def at(self, percent: float) -> float | None:
        """The number that `percent` of them do not exceed; None without any."""
        missing = math.ceil(sum(self._buckets.values()) * percent / 100)
        for bucket, count in sorted(self._buckets.items()):
            missing -= count
            if missing <= 0:
                return round(math.exp(RATIO * bucket), 3)
        return None


class Busy:
    """How many slots were busy, in steps from `since` to `until` (seconds since 1970)."""

    def __init__(self, since: float, until: float) -> None:
        self._since, self._step = since, (until - since) / STEPS
        self._changes, self._parts = [0] * (STEPS + 1), [0.0] * (STEPS + 1)

    def add(self, begin: float, end: float) -> None:
        """A slot that was busy within that time, from `begin` to `end`."""
        first, last = (begin - self._since) / self._step, (end - self._since) / self._step
        one, other = int(first), int(last)
        if one == other:
            self._parts[one] += last - first
            return
        self._parts[one] += one + 1 - first
        self._parts[other] += last - other
        self._changes[one + 1] += 1
        self._changes[other] -= 1

    def __iadd__(self, other: Busy) -> Busy:
        self._changes = [a + b for a, b in zip(self._changes, other._changes, strict=True)]
        self._parts = [a + b for a, b in zip(self._parts, other._parts, strict=True)]
        return self

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
