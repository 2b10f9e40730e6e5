"""Combinations of settings that are each right and together impossible."""

import difflib
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from ..airflow.configuration import reserved
from ..airflow.dags import over_http
from ..airflow.executors import UnknownExecutorError
from ..airflow.releases import RELEASES
from ..database import mysql
from ..images import bases
from ..registry.oci import Reference, RegistryError
from . import cron
from .marks import SANDBOX
from .problems import Path
from .quantities import amount
from .schema import Quantities, Resources, Settings


def impossible(settings: Settings, environment: str) -> Iterator[tuple[Path, str]]:
    """Path and message of everything that cannot work, the remedy in the message."""
    yield from _releases(settings)
    yield from _images(settings)
    yield from _dags(settings)
    yield from _database(settings)
    yield from _resources(settings)
    yield from _options(settings)
    if settings.engine == "auto" and environment != SANDBOX:
        yield (
            ("engine",),
            "auto is for the sandbox; a real environment names its engine, pulumi or kubectl",
        )
    service = settings.airflow.api_server.service
    if service.node_port is not None and service.type != "NodePort":
        yield (
            ("airflow", "apiServer", "service", "nodePort"),
            f"needs type: NodePort, not {service.type}; or set it to null",
        )
    if settings.airflow.tasks.pods_exec and not settings.airflow.tasks.launch_pods:
        yield (
            ("airflow", "tasks", "podsExec"),
            "is for the pods that tasks launch: set launchPods too, or neither",
        )
    if settings.database.user == "root":
        yield ("database", "user"), "MySQL's image makes root itself; use another name"


def warnings(settings: Settings) -> Iterator[str]:
    """What works, but perhaps not as its name says."""
    base = bases.BASES[settings.images.airflow.base]
    if base.end_of_life and "{base}" in settings.images.python_base_image:
        yield (
            f"images.airflow.base: {base.name} has had no security update since "
            f"{base.end_of_life}, and scanners do not report its flaws; take bookworm or trixie"
        )
    release = RELEASES[settings.airflow.version]
    executor = release.executor(settings.airflow.executor)
    if executor.serial and not executor.blocks_its_scheduler:
        yield (
            f"airflow.executor: Airflow {release.version} has no {executor.name}; it runs as "
            f"{executor.setting} with parallelism 1 (airflow.parallelism is not used)"
        )
    elif executor.serial:
        yield (
            f"airflow.executor: {executor.name} does nothing else while a task runs, and is for "
            "trying things only (airflow.parallelism is not used)"
        )


def _releases(settings: Settings) -> Iterator[tuple[Path, str]]:
    version, executor = settings.airflow.version, settings.airflow.executor
    release = RELEASES.get(version)
    if release is None:
        yield ("airflow", "version"), _unknown(f"{version!r} is unknown", version, RELEASES)
        return
    try:
        chosen = release.executor(executor)
    except UnknownExecutorError as error:
        yield ("airflow", "executor"), _unknown(str(error), executor, error.known)
        return
    if chosen.celery:
        yield from _celery(settings)


def _images(settings: Settings) -> Iterator[tuple[Path, str]]:
    wanted, builder = settings.images.airflow, settings.images.builder
    python = ("images", "airflow", "python")
    release = RELEASES.get(settings.airflow.version)
    if release is not None and wanted.python not in release.pythons:
        yield (
            python,
            f"Airflow {release.version} is not tested with Python {wanted.python}; "
            f"take {', '.join(release.pythons)}",
        )
    elif (message := bases.misfit(wanted)) is not None:
        yield python, message
    try:
        canonical = Reference.parse(f"{settings.images.registry}/x").name
        if canonical != f"{settings.images.registry}/x":
            yield ("images", "registry"), f"is written {canonical.removesuffix('/x')}"
    except RegistryError as error:
        yield ("images", "registry"), str(error)
    if (builder.driver == "remote") != (builder.endpoint is not None):
        yield (
            ("images", "builder", "endpoint"),
            "is where the driver remote finds buildkitd: set both, or neither",
        )


def _celery(settings: Settings) -> Iterator[tuple[Path, str]]:
    broker = settings.broker
    if broker.mode == "external" and broker.external.secret is None:
        yield ("broker", "external", "secret"), "broker.mode is external: set this"
    workers = settings.airflow.celery.workers
    for name, one in workers.items():
        if one.max_replicas < one.replicas:
            yield (
                ("airflow", "celery", "workers", name, "maxReplicas"),
                f"is less than replicas: {one.replicas}; make them equal for no autoscaling",
            )
    default = settings.airflow.configuration.get("operators", {}).get("default_queue", "default")
    if not any(default in one.queues for one in workers.values()):
        yield (
            ("airflow", "celery", "workers"),
            f"no set of workers serves the queue {default}, where tasks go that name none",
        )


def _dags(settings: Settings) -> Iterator[tuple[Path, str]]:
    dags = settings.airflow.dags
    git = dags.git
    if dags.source != "git":
        return
    if git.repository is None:
        yield ("airflow", "dags", "git", "repository"), "airflow.dags.source is git: set this"
        return
    if not over_http(git.repository):
        if git.secret is None:
            yield (
                ("airflow", "dags", "git", "secret"),
                "the repository is reached by ssh: name a Secret with the keys ssh and known_hosts",
            )
    elif "@" in urlsplit(git.repository).netloc:
        yield (
            ("airflow", "dags", "git", "repository"),
            "holds a user or password; put them into a Secret as username and password, and its "
            "name into airflow.dags.git.secret",
        )


def _unknown(what: str, wrong: str, right: Iterable[str]) -> str:
    names = list(right)
    near = difflib.get_close_matches(wrong, names, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{what}; {hint}known: {', '.join(names)}"


def _database(settings: Settings) -> Iterator[tuple[Path, str]]:
    database = settings.database
    schedule = database.backup.schedule
    if schedule is not None and not cron.is_schedule(schedule):
        yield ("database", "backup", "schedule"), f"{schedule!r} is no schedule: {cron.FORM}"
    if database.mode == "external":
        for key, value in (("host", database.external.host), ("secret", database.external.secret)):
            if value is None:
                yield ("database", "external", key), "database.mode is external: set this"
        return
    pool = mysql.bytes_of(database.cluster.buffer_pool)
    limit = amount(database.cluster.resources.limits.memory)
    if pool > 0.75 * limit:
        yield (
            ("database", "cluster", "bufferPool"),
            f"{database.cluster.buffer_pool} is more than 75 % of the memory limit "
            f"{database.cluster.resources.limits.memory}; MySQL would be killed when it fills",
        )


def _resources(settings: Settings) -> Iterator[tuple[Path, str]]:
    airflow = settings.airflow
    workers = ("airflow", "celery", "workers")
    places: dict[Path, Resources] = {
        **{(*workers, name): one.resources for name, one in airflow.celery.workers.items()},
        ("airflow", "celery", "flower"): airflow.celery.flower.resources,
        ("broker", "cluster"): settings.broker.cluster.resources,
        ("airflow", "apiServer"): airflow.api_server.resources,
        ("airflow", "scheduler"): airflow.scheduler.resources,
        ("airflow", "dagProcessor"): airflow.dag_processor.resources,
        ("airflow", "triggerer"): airflow.triggerer.resources,
        ("airflow", "tasks"): airflow.tasks.resources,
        ("airflow", "jobs"): airflow.jobs.resources,
        ("database", "cluster"): settings.database.cluster.resources,
        ("database", "backup"): settings.database.backup.resources,
    }
    for path, resources in places.items():
        for key in Quantities.model_fields:
            request, limit = getattr(resources.requests, key), getattr(resources.limits, key)
            if amount(request) > amount(limit):
                yield (
                    (*path, "resources", "requests", key),
                    f"the request {request} is more than the limit {limit}",
                )


def _options(settings: Settings) -> Iterator[tuple[Path, str]]:
    if any(True for _ in _releases(settings)):
        return  # reported already; what this program sets depends on both
    own = reserved(settings)
    for section, options in settings.airflow.configuration.items():
        for option in options:
            if f"AIRFLOW__{section.upper()}__{option.upper()}" in own:
                yield (
                    ("airflow", "configuration", section, option),
                    "set by this program from other settings; leave it out",
                )
