"""Marks on schema fields: what may differ between environments, why, how far and who says so."""

from dataclasses import dataclass
from typing import Literal

SANDBOX = "sandbox"
"""The environment of the embedded cluster; the only one that may use stand-in images."""

Owner = Literal["platform", "data", "release"]
"""Who answers for a difference. platform: clusters, registries, capacity. data: DAGs and what they
work on. release: what is built and where it runs next."""


@dataclass(frozen=True)
class PerEnvironment:
    """A field that `values/<env>.yaml` may set; without this mark only common.yaml may.

    `why` is the reason, for whoever reads the schema or is refused; `owner` answers for it. How far
    environments may go is what the field's type says. Quantities have no range by type: those of
    an environment are up to `times` as much as common's, and down to that part of it. `bounds` is
    in words, for what the program checks itself. `only` names the one environment that may set the
    field; None means every environment. A `temporary` difference needs the day until which it may
    stand (until.py). `distinct`: hardly the same in two places, so a copied one needs a look.
    """

    why: str
    owner: Owner
    only: str | None = None
    times: int | None = None
    bounds: str | None = None
    temporary: bool = False
    distinct: bool = False

    def allows(self, environment: str) -> bool:
        """Whether `environment` may set the field."""
        return self.only is None or self.only == environment
