"""Combinations of settings that are each right and together impossible."""

import difflib
from collections.abc import Iterable, Iterator

from ..airflow.configuration import managed
from ..airflow.executors import EXECUTORS
from ..airflow.releases import RELEASES
from ..database import mysql
from . import cron
from .marks import SANDBOX
from .problems import Path
from .schema import Quantities, Resources, Settings

BYTES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12} | {
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40
}  # fmt: skip


def impossible(settings: Settings, environment: str) -> Iterator[tuple[Path, str]]:
    """Path and message of everything that cannot work, the remedy in the message."""
    yield from _releases(settings)
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
    if settings.database.user == "root":
        yield ("database", "user"), "MySQL's image makes root itself; use another name"


def _releases(settings: Settings) -> Iterator[tuple[Path, str]]:
    version, executor = settings.airflow.version, settings.airflow.executor
    release = RELEASES.get(version)
    if release is None:
        yield ("airflow", "version"), _unknown(version, RELEASES)
    elif not release.built:
        built = [name for name, row in RELEASES.items() if row.built]
        yield ("airflow", "version"), f"{version} is not built yet; use {' or '.join(built)}"
    row = EXECUTORS.get(executor)
    if row is None:
        yield ("airflow", "executor"), _unknown(executor, EXECUTORS)
    elif not row.built:
        names = [name for name, other in EXECUTORS.items() if other.built]
        yield ("airflow", "executor"), f"{executor} is not built yet; use {' or '.join(names)}"


def _unknown(wrong: str, right: Iterable[str]) -> str:
    names = list(right)
    near = difflib.get_close_matches(wrong, names, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{wrong!r} is unknown; {hint}known: {', '.join(names)}"


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
    places: dict[Path, Resources] = {
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
    if settings.airflow.version not in RELEASES or settings.airflow.executor not in EXECUTORS:
        return  # reported already; what this program sets depends on both
    own = {*managed(settings), *RELEASES[settings.airflow.version].secrets.values()}
    for section, options in settings.airflow.configuration.items():
        for option in options:
            if f"AIRFLOW__{section.upper()}__{option.upper()}" in own:
                yield (
                    ("airflow", "configuration", section, option),
                    "set by this program from other settings; leave it out",
                )


def amount(quantity: str) -> float:
    """A Kubernetes quantity in cores or bytes: "500m" is 0.5, "1Gi" is 1073741824."""
    digits = quantity.rstrip("kmKMGTi")
    unit = quantity[len(digits) :]
    return float(digits) / 1000 if unit == "m" else float(digits) * BYTES[unit]
