"""The six executor names, one row each: how a release line spells it and where its tasks run.

Sources: Airflow's executor documentation and its configuration option `core.executor`. Nothing
outside this table compares executor names.
"""

import re
from dataclasses import dataclass, replace
from types import MappingProxyType

KUBERNETES_QUEUE = "kubernetes"
"""The queue by which a DAG requests a pod of its own, on every executor that has task pods. It is
2.x's default of `kubernetes_queue` in `[celery_kubernetes_executor]` and in
`[local_kubernetes_executor]`."""


CELERY = "CeleryExecutor"
_CELERY_CLASS = f"airflow.providers.celery.executors.celery_executor.{CELERY}"


class UnknownExecutorError(ValueError):
    """The text names no executor of the release; `known` are the names."""

    def __init__(self, message: str) -> None:
        self.known = tuple(EXECUTORS)
        super().__init__(message)


@dataclass(frozen=True)
class Executor:
    """One executor. `setting` is the value of `core.executor`.

    `local`, `celery` and `kubernetes` say where tasks may run: in the scheduler's pod, on Celery
    workers, in pods of their own. `serial` runs one task at a time. `pods_by_policy` is the name
    to which a task policy sends the tasks of KUBERNETES_QUEUE, for lists of executors: 3.x routes
    by executor and never by queue (apache/airflow#55766).
    """

    name: str
    setting: str
    local: bool = False
    celery: bool = False
    kubernetes: bool = False
    serial: bool = False
    pods_by_policy: str | None = None

    @property
    def blocks_its_scheduler(self) -> bool:
        """Whether the scheduler does nothing else, not even its heartbeat, while a task runs."""
        return self.setting == "SequentialExecutor"

    @property
    def celery_names(self) -> tuple[str | None, ...]:
        """What the column `executor` has for tasks that run on workers: in a list of executors a
        name of Celery's (alias, class, module) or, where it is the first, None. Empty if it does
        not matter.

        Source: Airflow 3's ExecutorLoader and scheduler_job_runner.py.
        """
        items = [item.rpartition(":") for item in self.setting.split(",")]
        if len(items) == 1:
            return ()
        aliases = [alias for alias, _, name in items if alias and name == CELERY]
        default = [None] if items[0][2] == CELERY else []
        return (*default, *aliases, CELERY, _CELERY_CLASS)


EXECUTORS: MappingProxyType[str, Executor] = MappingProxyType(
    {
        row.name: row
        for row in (
            Executor("KubernetesExecutor", "KubernetesExecutor", kubernetes=True),
            Executor("CeleryExecutor", "CeleryExecutor", celery=True),
            Executor(
                "CeleryKubernetesExecutor",
                "CeleryExecutor,KubernetesExecutor",
                celery=True,
                kubernetes=True,
            ),
            Executor(
                "LocalKubernetesExecutor",
                "LocalExecutor,KubernetesExecutor",
                local=True,
                kubernetes=True,
            ),
            Executor("LocalExecutor", "LocalExecutor", local=True),
            Executor("SequentialExecutor", "LocalExecutor", local=True, serial=True),
        )
    }
)
"""By name, spelled for releases that take lists of executors (3.x). Those have neither the hybrid
classes nor SequentialExecutor; 2.x has all six as classes of their own names."""

_SINGLE = tuple(row for row in EXECUTORS.values() if row.name == row.setting)


def resolve(text: str, *, lists: bool) -> Executor:
    """The executor that `text` names, on a release that takes lists of executors or does not.

    `text` is one of the six names or, where there are lists, what `core.executor` accepts: names
    with commas between them, each with or without an alias before a colon ("LocalExecutor,
    k8s:KubernetesExecutor"). Raises UnknownExecutorError.
    """
    row = EXECUTORS.get(text)
    if row is not None:
        return _with_policy(row) if lists else replace(row, setting=row.name)
    if "," not in text and ":" not in text:
        raise UnknownExecutorError(f"{text!r} is unknown")
    if not lists:
        raise UnknownExecutorError(
            f"{text!r}: this release takes no list or alias; use one of the names"
        )
    items = [item.strip() for item in text.split(",")]
    names = {row.name: row for row in _SINGLE}
    chosen = []
    for item in items:
        alias, _, name = item.rpartition(":")
        if name not in names or (":" in item and not re.fullmatch(r"\w+", alias)):
            raise UnknownExecutorError(
                f"{item!r} in {text!r} is unknown; a list takes {', '.join(names)}, "
                "each alone or as alias:name"
            )
        chosen.append(names[name])
    named = [item.rpartition(":")[0] or item for item in items]
    if len(set(chosen)) < len(chosen) or len(set(named)) < len(named):
        raise UnknownExecutorError(f"{text!r} names an executor twice")
    return _with_policy(
        Executor(
            text,
            ",".join(items),
            local=any(row.local for row in chosen),
            celery=any(row.celery for row in chosen),
            kubernetes=any(row.kubernetes for row in chosen),
        )
    )


def _with_policy(row: Executor) -> Executor:
    """With the policy's target, if there are task pods and they are not the default (first)."""
    for item in row.setting.split(",")[1:]:
        alias, _, name = item.rpartition(":")
        if name == "KubernetesExecutor":
            return replace(row, pods_by_policy=alias or name)
    return row
