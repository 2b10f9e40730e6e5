"""Marks on schema fields: where environments may differ, why, how far, and who answers for it."""

from dataclasses import dataclass, replace
from typing import Literal

SANDBOX = "sandbox"
"""The environment of the embedded cluster; the only one that may use stand-in images."""

Owner = Literal["platform", "data", "release"]
"""Who answers for a difference. platform: clusters, registries, capacity. data: DAGs and the data
that they process. release: what is built and where it runs next."""


@dataclass(frozen=True)
class PerEnvironment:
    """A field that `values/<env>.yaml` may set; without this mark only common.yaml may.

    `why` is the reason, `owner` answers for it. `only`: the one environment that may set the field
    (None: every environment). `temporary`: a difference needs an expiry date (expiry.py).
    `distinct`: the value is expected to be unique (a hostname); an identical value in two
    environments is reported.

    Limits: numbers are limited by the field's type; quantities to between 1/`times` and `times`
    times the common value.
    """

    why: str
    owner: Owner
    only: str | None = None
    times: int | None = None
    temporary: bool = False
    distinct: bool = False

    def allows(self, environment: str) -> bool:
        """Whether `environment` may set the field."""
        return self.only is None or self.only == environment


STAND_IN = PerEnvironment(
    "the sandbox has no image registry to pull from and builds stand-ins itself",
    owner="platform",
    only=SANDBOX,
)
CAPACITY = PerEnvironment(
    "load differs between environments; what runs does not", owner="platform", times=64
)
LOCATION = PerEnvironment(
    "each environment has its own location: cluster, registry, address", owner="platform"
)
UNIQUE_LOCATION = replace(LOCATION, distinct=True)
