"""One thing in which environments differ and should not, or say that they do and do not."""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["unexplained", "stale", "expired", "configuration"]


@dataclass(frozen=True)
class Disparity:
    """`place` is the line to change, as `values/prod.yaml:7`, and `what` the setting or the leaf.

    `values` are those that are compared, each with whose it is; MISSING where one has none.
    """

    kind: Kind
    place: str
    what: str
    values: tuple[tuple[str, Any], ...]
    remedy: str
