"""What an environment may need: its budget in the values, and its database's connections."""

from collections.abc import Iterator

from ..kubernetes.manifest import Manifest
from ..settings.quantities import amount
from .capacity import capacity
from .rule import Finding, Subject, rule


@rule(
    fix="lower replicas, maxReplicas, parallelism, requests or sizes, or raise budget in "
    "values/<environment>.yaml, with whoever pays for it",
    whole=True,
)
def within_budget(subject: Subject) -> Iterator[Finding]:
    """What is reserved at full parallelism is what nodes and volumes have to be paid for."""
    if subject.budget is None:
        return
    needed, allowed = capacity(subject.objects), subject.budget
    for key, wanted, limit, show in (
        ("cpu", needed.worst.requests.cpu, allowed.cpu, cores),
        ("memory", needed.worst.requests.memory, allowed.memory, gibibytes),
        ("storage", needed.storage, allowed.storage, gibibytes),
    ):
        if wanted > amount(limit):
            message = f"at worst {show(wanted)} is requested, and budget.{key} is {limit}"
            yield Finding(_namespace(subject), (), message)


@rule(
    fix="raise database.cluster.maxConnections (and its memory), or lower parallelism, replicas or "
    "workers",
    source="Airflow: sql_alchemy_pool_size, max_overflow",
    whole=True,
)
def enough_connections(subject: Subject) -> Iterator[Finding]:
    """A component that gets no connection fails its health check and is restarted, at peak."""
    needed = capacity(subject.objects)
    if needed.max_connections is not None and needed.connections > needed.max_connections:
        message = (
            f"at worst {needed.connections} connections are asked for, and MySQL allows "
            f"{needed.max_connections}"
        )
        yield Finding(_namespace(subject), (), message)


def cores(number: float) -> str:
    """CPU for people: `12.25 cores`."""
    return f"{number:g} cores"


def gibibytes(number: float) -> str:
    """Bytes for people: `31.5 GiB`."""
    return f"{round(number / 2**30, 1):g} GiB"


def _namespace(subject: Subject) -> Manifest:
    """What stands for the whole environment."""
    for obj in subject.objects:
        if obj["kind"] == "Namespace":
            return obj
    return {"kind": "Namespace", "metadata": {"name": subject.environment}}


RULES = (within_budget, enough_connections)
