"""Kubernetes quantities as numbers, and sums of resources."""

import math

from .schema import Quantities, Resources

BYTES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12} | {
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40
}  # fmt: skip


def amount(quantity: str) -> float:
    """A Kubernetes quantity in cores or bytes: "500m" is 0.5, "1Gi" is 1073741824."""
    digits = quantity.rstrip("kmKMGTi")
    unit = quantity[len(digits) :]
    return float(digits) / 1000 if unit == "m" else float(digits) * BYTES[unit]


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
