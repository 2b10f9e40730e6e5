"""How many connections to the metadata database are open when as many tasks run as may.

Sources: Airflow's `[database] sql_alchemy_pool_size` and `max_overflow`, and its settings.py: each
process has a pool, an API server's worker a second one for its asynchronous engine; the processes
of a 2.x task have none and open one connection each. `[core] parallelism` counts a scheduler's
tasks over all of its executors (scheduler_job_runner.py).
"""

import re
from collections.abc import Iterable, Sequence

from ..airflow.configuration import CONFIG_MAP
from ..airflow.executors import resolve
from ..airflow.releases import DATABASE, RELEASES, RESULTS
from ..kubernetes.manifest import Manifest
from .workloads import Container, Workload

OF_A_TASK = 2
"""Of a 2.x task: one of the process that watches it, one of its own."""

DATABASES = {release.secrets[DATABASE] for release in RELEASES.values()}
RESULTS_OF_CELERY = {release.secrets[RESULTS] for release in RELEASES.values()}
ASYNC = {release.async_database for release in RELEASES.values()} - {None}
WEB = {release.web.component.name: release.web for release in RELEASES.values()}
SCHEDULERS = {release.scheduler.name for release in RELEASES.values()}
WORKERS = {release.worker.name for release in RELEASES.values()}


class Configuration:
    """What an environment's ConfigMap says; elsewhere Airflow's own defaults hold."""

    def __init__(self, objects: Iterable[Manifest]) -> None:
        self._values: dict[str, str] = {}
        for obj in objects:
            if obj["kind"] == "ConfigMap" and obj["metadata"]["name"] == CONFIG_MAP:
                self._values = obj.get("data") or {}

    def number(self, variable: str, default: int) -> int:
        """A variable that holds a number."""
        return int(self._values.get(variable, default))

    @property
    def parallelism(self) -> int:
        """Tasks at a time, per scheduler."""
        return self.number("AIRFLOW__CORE__PARALLELISM", 32)

    @property
    def pool(self) -> int:
        """Connections of one process."""
        section = "AIRFLOW__DATABASE__SQL_ALCHEMY"
        return self.number(f"{section}_POOL_SIZE", 5) + self.number(f"{section}_MAX_OVERFLOW", 10)

    @property
    def local(self) -> bool:
        """Whether tasks run in the scheduler's pod."""
        executor = self._values.get("AIRFLOW__CORE__EXECUTOR")
        return executor is not None and resolve(executor, lists=True).local

    @property
    def tasks_connect(self) -> bool:
        """Whether tasks talk to the database: where they have an API instead, they do not."""
        return "AIRFLOW__CORE__EXECUTION_API_SERVER_URL" not in self._values


def at_worst(configuration: Configuration, running: Sequence[tuple[Workload, int]]) -> int:
    """The connections of so many pods of each workload, and of the tasks that run in them."""
    processes = slots = schedulers = 0
    elsewhere = configuration.local
    for workload, pods in running:
        elsewhere |= workload.template
        schedulers += pods if is_scheduler(workload) else 0
        for container in workload.containers():
            if container.name in WORKERS:
                slots += pods * _concurrency(container)
            processes += pods * _of(container, configuration)
    if not configuration.tasks_connect:
        return processes
    tasks = schedulers * configuration.parallelism
    return processes + OF_A_TASK * (tasks if elsewhere else min(tasks, slots))


def is_scheduler(workload: Workload) -> bool:
    """Whether its pods are the scheduler's."""
    return any(container.name in SCHEDULERS for container in workload.containers())


def _of(container: Container, configuration: Configuration) -> int:
    """Of one container, without tasks; an init container's are closed when the others start."""
    variables = {item["name"] for item in container.spec.get("env") or []}
    if container.init or container.workload.template:
        return 0
    if container.name in WORKERS:  # a slot's process writes its task's result
        return _concurrency(container) if variables & RESULTS_OF_CELERY else 0
    if not variables & DATABASES:
        return 0
    if not container.workload.long_running:
        return 1  # a Job's one process
    if container.name not in WEB:
        return configuration.pool
    workers = configuration.number(WEB[container.name].variables["workers"], 1)
    return workers * configuration.pool * (2 if variables & ASYNC else 1)


def _concurrency(container: Container) -> int:
    """Of a Celery worker: how many tasks it runs at a time."""
    arguments = " ".join(map(str, container.spec.get("args") or []))
    found = re.search(r"--concurrency[ =](\d+)", arguments)
    return int(found[1]) if found else 16  # Airflow's default
