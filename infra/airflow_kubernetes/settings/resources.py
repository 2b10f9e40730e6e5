"""Sums of containers' resources."""

import math

from .quantities import amount
from .schema import Quantities, Resources


def plus(base: Resources, times: int, extra: Resources) -> Resources:
    """`base` + `times` * `extra`: CPU in millicores, memory in whole MiB."""
    return Resources(
        requests=_plus(base.requests, times, extra.requests),
        limits=_plus(base.limits, times, extra.limits),
    )


def _plus(base: Quantities, times: int, extra: Quantities) -> Quantities:
    cpu = amount(base.cpu) + times * amount(extra.cpu)
    memory = amount(base.memory) + times * amount(extra.memory)
    return Quantities(cpu=f"{round(1000 * cpu)}m", memory=f"{math.ceil(memory / 2**20)}Mi")
