"""Connections to the metadata database that are open at full parallelism, from the settings.

Sources: Airflow's `[database] sql_alchemy_pool_size` and `sql_alchemy_max_overflow`, and its
settings.py: each process has a pool, an API server's worker a second pool for its asynchronous
engine. A 2.x task has no pool and two connections; `[core] parallelism` counts a scheduler's tasks
over all of its executors (scheduler_job_runner.py). Init containers' connections are closed when
the others start.
"""

from collections.abc import Iterator

from ..airflow.configuration import plain
from ..airflow.dags import with_own_processor
from ..airflow.releases import DATABASE, RELEASES
from ..settings.schema import Settings
from .rule import Finding, Subject, rule

POOL_SIZE = "AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE"
MAX_OVERFLOW = "AIRFLOW__DATABASE__SQL_ALCHEMY_MAX_OVERFLOW"
JOBS = 2
"""One connection for each of the Jobs of a release: migrations and the first user."""

PER_TASK = 2
"""Connections of a 2.x task: that of the process that supervises it, and its own."""


@rule(
    fix="raise database.cluster.maxConnections (and its memory), or lower parallelism, replicas or "
    "workers",
    source="Airflow: sql_alchemy_pool_size, sql_alchemy_max_overflow",
    whole_stack=True,
)
def enough_connections(subject: Subject) -> Iterator[Finding]:
    """At peak, a component that gets no connection fails its health check and is restarted."""
    most, limit = needed(subject.settings), allowed(subject.settings)
    if limit is not None and most > limit:
        yield subject.finding(f"up to {most} connections are needed, and MySQL allows {limit}")


def needed(settings: Settings) -> int:
    """The greatest number of connections; 0 while Airflow is stopped."""
    airflow = settings.airflow
    if airflow.stopped:
        return 0
    release = RELEASES[airflow.version]
    executor = release.executor(airflow.executor)
    configuration = plain(settings)
    pool = int(configuration.get(POOL_SIZE, 5)) + int(configuration.get(MAX_OVERFLOW, 10))
    per_web_process = 1 if release.async_database is None else 2
    pools = (
        airflow.api_server.most * airflow.api_server.workers * per_web_process
        + airflow.scheduler.replicas
        + airflow.dag_processor.replicas * (1 + len(with_own_processor(settings)))
        + airflow.triggerer.most
    )
    slots = autoscaling = 0
    if executor.celery:
        pools += DATABASE in release.flower.secrets
        workers = airflow.celery.workers.values()
        slots = sum(group.max_replicas * group.concurrency for group in workers)
        if autoscaled := sum(group.max_replicas > group.replicas for group in workers):
            # That of deletion_cost.py and, for each set, KEDA's.
            autoscaling = 1 + airflow.keda.enabled * autoscaled
    # Each slot's process writes its task's result.
    connections = pools * pool + slots + JOBS + autoscaling
    if release.execution_api:
        return connections
    tasks = airflow.scheduler.replicas * (1 if executor.serial else airflow.parallelism)
    if not (executor.local or executor.kubernetes):
        tasks = min(tasks, slots)
    return connections + PER_TASK * tasks


def allowed(settings: Settings) -> int | None:
    """The number that MySQL in the cluster accepts; None for an external database."""
    database = settings.database
    return database.cluster.max_connections if database.mode == "cluster" else None
