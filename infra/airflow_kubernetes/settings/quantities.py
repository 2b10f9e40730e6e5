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


def plus(one: Resources, times: int, other: Resources) -> Resources:
    """`one` and `times` as much as `other`: CPU in millicores, memory in whole MiB."""
    return Resources(
        requests=_plus(one.requests, times, other.requests),
        limits=_plus(one.limits, times, other.limits),
    )


def _plus(one: Quantities, times: int, other: Quantities) -> Quantities:
    cpu = amount(one.cpu) + times * amount(other.cpu)
    memory = amount(one.memory) + times * amount(other.memory)
    return Quantities(cpu=f"{round(1000 * cpu)}m", memory=f"{math.ceil(memory / 2**20)}Mi")
