"""Marks on schema fields: what may differ between environments, and why."""

from dataclasses import dataclass

SANDBOX = "sandbox"
"""The environment of the embedded cluster; the only one that may use stand-in images."""


@dataclass(frozen=True)
class PerEnvironment:
    """A field that `values/<env>.yaml` may set; without this mark only common.yaml may.

    `why` is the reason, for whoever reads the schema or is refused. `only` names the one
    environment that may set the field; None means every environment.
    """

    why: str
    only: str | None = None

    def allows(self, environment: str) -> bool:
        """Whether `environment` may set the field."""
        return self.only is None or self.only == environment
