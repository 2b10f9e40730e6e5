"""Rules about capacity: the environment's budget, and the connections of its database."""

from collections.abc import Iterator

from ..settings.quantities import amount
from . import connections
from .capacity import capacity
from .rule import Finding, Subject, rule


@rule(
    fix="lower replicas, maxReplicas, parallelism, requests or sizes; or agree on a higher budget "
    "with its owner and set it in values/<environment>.yaml",
    whole_stack=True,
)
def within_budget(subject: Subject) -> Iterator[Finding]:
    """Nodes and volumes must be paid for all that is reserved at full parallelism."""
    total, budget = capacity(subject.objects, subject.settings), subject.settings.budget
    for key, requested, limit, show in (
        ("cpu", total.worst.requests.cpu, budget.cpu, cores),
        ("memory", total.worst.requests.memory, budget.memory, gibibytes),
        ("storage", total.storage, budget.storage, gibibytes),
    ):
        if requested > amount(limit):
            message = f"up to {show(requested)} is requested, and budget.{key} is {limit}"
            yield _finding(subject, message)


@rule(
    fix="raise database.cluster.maxConnections (and its memory), or lower parallelism, replicas or "
    "workers",
    source="Airflow: sql_alchemy_pool_size, sql_alchemy_max_overflow",
    whole_stack=True,
)
def enough_connections(subject: Subject) -> Iterator[Finding]:
    """At peak, a component that gets no connection fails its health check and is restarted."""
    needed, allowed = connections.needed(subject.settings), connections.allowed(subject.settings)
    if allowed is not None and needed > allowed:
        message = f"up to {needed} connections are needed, and MySQL allows {allowed}"
        yield _finding(subject, message)


def cores(number: float) -> str:
    """CPU as text: `12.25 cores`."""
    return f"{number:g} cores"


def gibibytes(number: float) -> str:
    """Bytes as text: `31.5 GiB`."""
    return f"{round(number / 2**30, 1):g} GiB"


def _finding(subject: Subject, message: str) -> Finding:
    """A finding at the object that represents the whole environment."""
    (namespace,) = subject.of_kind("Namespace")
    return Finding(namespace, (), message)
