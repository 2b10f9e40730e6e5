"""Kubernetes quantities: the numbers that they are, and what is wrong with one, in words.

Source: k8s.io/apimachinery/pkg/api/resource, by which the API server reads them.
"""

import re
from fractions import Fraction

UNITS = (
    {"": Fraction(1), "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000)}
    | {unit: Fraction(1000**power) for power, unit in enumerate("kMGTPE", 1)}
    | {f"{unit}i": Fraction(1024**power) for power, unit in enumerate("KMGTPE", 1)}
)

_QUANTITY = re.compile(
    r"\+?(?P<number>[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})"
    r"(?:[eE](?P<exponent>[+-]?[0-9]{1,2})|(?P<unit>[numkMGTPE]|[KMGTPE]i)?)"
)
"""Longer numbers than these are beyond the highest or finer than the finest amount anyway."""

_HIGHEST = 2**63 - 1
"""Kubernetes counts bytes in 64 bits."""

_MOST_CORES = 10**8
"""Of a limit: the time that Linux lets a container have (cpu.max) is less than twice as much."""

_BYTES = "bytes with a unit, such as 512Mi or 20Gi"


def exact(quantity: str) -> Fraction | None:
    """The amount in cores or bytes; None for a text that is no quantity."""
    match = _QUANTITY.fullmatch(quantity)
    if match is None:
        return None
    factor = (
        Fraction(10) ** int(match["exponent"]) if match["exponent"] else UNITS[match["unit"] or ""]
    )
    return Fraction(f"0{match['number']}".rstrip(".")) * factor


def amount(quantity: str) -> float:
    """A Kubernetes quantity in cores or bytes: "500m" is 0.5, "1Gi" is 1073741824."""
    value = exact(quantity)
    if value is None:
        raise ValueError(f"{quantity!r} is no quantity; the schema refuses that")
    return float(value)


def cpu(text: str) -> str | None:
    """What is wrong with an amount of CPU; None if nothing is.

    Nothing finer than a thousandth of a core
    (https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/).
    """
    value = exact(text)
    if value is None:
        return 'should be CPU in cores, such as "2" or "500m"'
    if value * 1000 % 1:
        return "should be whole thousandths of a core, such as 500m"
    if not Fraction(1, 1000) <= value <= _MOST_CORES:
        return (
            "should be at least 1m, a thousandth of a core, and of a size that a cluster can have"
        )
    return None


def memory(text: str) -> str | None:
    """What is wrong with an amount of memory; None if nothing is.

    The API server accepts 384m, which is less than a byte, and no container starts with it.
    """
    return _bytes(text, "16Mi", "no container starts with less")


def storage(text: str) -> str | None:
    """What is wrong with the size of a volume; None if nothing is."""
    return _bytes(text, "1Mi", "no volume is smaller")


def _bytes(text: str, least: str, why: str) -> str | None:
    value = exact(text)
    if value is None:
        return f"should be {_BYTES}"
    if text[-1] in "num":
        return f"should be {_BYTES}: {text[-1]} means a fraction of a byte"
    if value % 1:
        return f"should be whole bytes, which {text} is not: write it in the next smaller unit"
    if value > _HIGHEST:
        return "should be no more than a cluster can have"
    if value < amount(least):
        return f"should be at least {least}, because {why}; without a unit it is bytes"
    return None
