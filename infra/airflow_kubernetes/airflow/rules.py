"""Cross-field rules about Airflow: release, executor, queues, DAG sources, configuration."""

import difflib
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from ..broker import rules as broker
from ..settings.problems import Fault, Path
from ..settings.schema import Settings
from . import (
    autoscaling_rules,
    combinations,
    launched_pods_rules,
    option_rules,
    pod_rules,
    secret_names,
    size_rules,
    task_profiles,
)
from .configuration import reserved
from .executors import KUBERNETES_QUEUE, UnknownExecutorError
from .releases import RELEASES, Release
from .repositories import BUNDLE, Repository


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
    yield from autoscaling_rules.problems(settings)
    deferrable = airflow.options.get("operators", {}).get("default_deferrable", "")
    if airflow.triggerer.most == 0 and combinations.is_true(str(deferrable)):
        yield (
            ("airflow", "triggerer", "replicas"),
            "tasks that defer themselves would wait for ever, and default_deferrable makes all "
            "tasks do it that can; set it to 1 or more, or remove that option",
        )
    yield from launched_pods_rules.problems(settings)
    yield from task_profiles.problems(settings)
    yield from _dags(settings)
    yield from secret_names.problems(settings)


def warnings(settings: Settings) -> Iterator[str]:
    """Messages about executors that are replaced or not for production, and about options."""
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
    yield from combinations.warnings(settings)
    yield from task_profiles.warnings(settings)


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
        yield from autoscaling_rules.problems_of_workers(settings)
        yield from _workers(settings)
    wrong = dict(option_rules.problems(settings, reserved(settings)))
    yield from wrong.items()
    # One problem for each option: how it works with others does not matter where it is wrong.
    for path, message in combinations.problems(settings):
        if not wrong.keys() & {path, path[:-1]}:
            yield path, message
    yield from pod_rules.problems(settings)
    yield from size_rules.problems(settings)


def _workers(settings: Settings) -> Iterator[Fault]:
    workers = settings.airflow.celery.workers
    options = settings.airflow.options.get("operators", {})
    default = str(options.get("default_queue", "default"))
    # The queue of pods is served by them, or by the first set of workers.
    if default != KUBERNETES_QUEUE and not any(default in each.queues for each in workers.values()):
        yield (
            ("airflow", "celery", "workers"),
            f"no set of workers serves the queue {default}, which is that of tasks that name none; "
            "add it to the queues of a set",
        )


def _dags(settings: Settings) -> Iterator[Fault]:
    dags = settings.airflow.dags
    if dags.source == "git":
        path: Path = ("airflow", "dags", "git")
        if dags.git.repository is None:
            yield (*path, "repository"), "must be set, because airflow.dags.source is git"
        else:
            yield from _repository(path, Repository(BUNDLE, dags.git))
    release = RELEASES.get(settings.airflow.version)
    for name, values in dags.repositories.items():
        path = ("airflow", "dags", "repositories", name)
        yield from _repository(path, Repository(name, values))
        if name == BUNDLE:
            yield path, "Airflow's name for the first source, airflow.dags.source; use another"
        if values.processor and release and not release.dag_bundles:
            yield (
                (*path, "processor"),
                f"Airflow {release.version} has one DAG processor for all sources; remove it",
            )


def _repository(path: Path, repository: Repository) -> Iterator[Fault]:
    address = urlsplit(repository.address)
    if not repository.takes_password:
        if repository.values.secret is None:
            yield (
                (*path, "secret"),
                "the repository is reached by ssh: name a Secret with the keys ssh and known_hosts",
            )
        if address.password is not None:
            yield (
                (*path, "repository"),
                "contains a password, which ssh does not use; remove it",
            )
    elif "@" in address.netloc:
        yield (
            (*path, "repository"),
            "contains a user or password; put them into a Secret as username and password, and "
            f"its name into {'.'.join(map(str, path))}.secret",
        )


def _nearest(what: str, wrong: str, right: Iterable[str]) -> str:
    names = list(right)
    near = difflib.get_close_matches(wrong, names, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{what}; {hint}known: {', '.join(names)}"
