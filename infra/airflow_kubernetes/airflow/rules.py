"""Cross-field rules about Airflow: release, executor, queues, DAG sources, configuration."""

import difflib
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from ..broker import rules as broker
from ..settings.problems import Fault
from ..settings.schema import Settings
from . import launched_pods_rules
from .configuration import reserved
from .dags import over_http
from .executors import UnknownExecutorError
from .releases import RELEASES, Release


def problems(settings: Settings) -> Iterator[Fault]:
    """Path and message of every contradiction."""
    airflow = settings.airflow
    release = RELEASES.get(airflow.version)
    if release is None:
        unknown = f"{airflow.version!r} is unknown"
        yield ("airflow", "version"), _nearest(unknown, airflow.version, RELEASES)
    else:
        yield from _release(settings, release)
    service = airflow.api_server.service
    if service.node_port is not None and service.type != "NodePort":
        yield (
            ("airflow", "apiServer", "service", "nodePort"),
            f"requires type: NodePort, not {service.type}; or set it to null",
        )
    yield from launched_pods_rules.problems(settings)
    yield from _dags(settings)


def warnings(settings: Settings) -> Iterator[str]:
    """A message about an executor that is replaced by another or is not for production."""
    release = RELEASES[settings.airflow.version]
    executor = release.executor(settings.airflow.executor)
    if executor.serial and not executor.blocks_its_scheduler:
        yield (
            f"airflow.executor: Airflow {release.version} has no {executor.name}; it runs as "
            f"{executor.setting} with parallelism 1 (airflow.parallelism is not used)"
        )
    elif executor.serial:
        yield (
            f"airflow.executor: {executor.name} blocks the scheduler while a task runs, and is not "
            "for production (airflow.parallelism is not used)"
        )


def _release(settings: Settings, release: Release) -> Iterator[Fault]:
    python, name = settings.images.airflow.python, settings.airflow.executor
    if python not in release.pythons:
        yield (
            ("images", "airflow", "python"),
            f"Airflow {release.version} is not tested with Python {python}; "
            f"use {' or '.join(release.pythons)}",
        )
    try:
        executor = release.executor(name)
    except UnknownExecutorError as error:
        yield ("airflow", "executor"), _nearest(str(error), name, error.known)
        return
    if executor.celery:
        yield from broker.problems(settings)
        yield from _workers(settings)
    yield from _options(settings)


def _workers(settings: Settings) -> Iterator[Fault]:
    workers = settings.airflow.celery.workers
    for name, worker in workers.items():
        if worker.max_replicas < worker.replicas:
            yield (
                ("airflow", "celery", "workers", name, "maxReplicas"),
                f"is less than replicas: {worker.replicas}; set both to the same number to turn "
                "off autoscaling",
            )
    default = settings.airflow.configuration.get("operators", {}).get("default_queue", "default")
    if not any(default in worker.queues for worker in workers.values()):
        yield (
            ("airflow", "celery", "workers"),
            f"no set of workers serves the queue {default}, which is that of tasks that name none; "
            "add it to the queues of a set",
        )


def _options(settings: Settings) -> Iterator[Fault]:
    """Options that this program sets itself, as variables, which take precedence over others."""
    own = reserved(settings)
    for section, options in settings.airflow.configuration.items():
        for option in options:
            if f"AIRFLOW__{section.upper()}__{option.upper()}" in own:
                yield (
                    ("airflow", "configuration", section, option),
                    "set by this program from other settings; remove it",
                )


def _dags(settings: Settings) -> Iterator[Fault]:
    dags = settings.airflow.dags
    git = dags.git
    if dags.source != "git":
        return
    if git.repository is None:
        yield (
            ("airflow", "dags", "git", "repository"),
            "must be set, because airflow.dags.source is git",
        )
    elif not over_http(git.repository):
        if git.secret is None:
            yield (
                ("airflow", "dags", "git", "secret"),
                "the repository is reached by ssh: name a Secret with the keys ssh and known_hosts",
            )
    elif "@" in urlsplit(git.repository).netloc:
        yield (
            ("airflow", "dags", "git", "repository"),
            "contains a user or password; put them into a Secret as username and password, and "
            "its name into airflow.dags.git.secret",
        )


def _nearest(what: str, wrong: str, right: Iterable[str]) -> str:
    names = list(right)
    near = difflib.get_close_matches(wrong, names, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{what}; {hint}known: {', '.join(names)}"
