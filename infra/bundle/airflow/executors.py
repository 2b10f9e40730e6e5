"""The six executor names, one row each: how a release spells it and what it needs.

Sources: Airflow's executor documentation and its configuration option `core.executor`. Nothing
outside this table compares executor names.
"""

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Executor:
    """One executor. `spelling` maps a release line ("2.11", "3.3") to its `core.executor`.

    `kubernetes` says whether tasks may run as pods of their own. `built` says whether this program
    can deploy it yet.
    """

    name: str
    built: bool
    kubernetes: bool
    spelling: MappingProxyType[str, str]

    def spelled_for(self, version: str) -> str:
        """The value of `core.executor` for a release such as "3.3.2"."""
        return self.spelling[version.rpartition(".")[0]]


def _row(
    name: str,
    on_3: str | None = None,
    *,
    built: bool = False,
    kubernetes: bool = False,
) -> Executor:
    spelling = MappingProxyType({"2.11": name, "3.3": on_3 or name})
    return Executor(name, built, kubernetes, spelling)


EXECUTORS: MappingProxyType[str, Executor] = MappingProxyType(
    {
        row.name: row
        for row in (
            _row("KubernetesExecutor", built=True, kubernetes=True),
            _row("CeleryExecutor"),
            # 3.x has no hybrid classes: it takes a list of executors instead.
            _row(
                "CeleryKubernetesExecutor",
                "CeleryExecutor,KubernetesExecutor",
                kubernetes=True,
            ),
            _row("LocalKubernetesExecutor", "LocalExecutor,KubernetesExecutor", kubernetes=True),
            _row("LocalExecutor"),
            # 3.x has no SequentialExecutor: LocalExecutor with parallelism 1 is the same.
            _row("SequentialExecutor", "LocalExecutor"),
        )
    }
)
