"""Rules about sizes: what fits into a ConfigMap, and into the environment of a process."""

from collections.abc import Iterator, Mapping

from ..settings.problems import Fault, Path
from ..settings.schema import PodSettings, Settings
from ..settings.sections import sections
from .configuration import plain
from .option_rules import CFG

VARIABLE = 128 * 1024
"""Bytes of a variable with its name (Linux: MAX_ARG_STRLEN)."""

CONFIG_MAP = 1024 * 1024
"""Bytes of a ConfigMap's values (k8s.io/api/core/v1: MaxSecretSize)."""

ENVIRONMENT = 256 * 1024
"""Bytes of `env` in a section. The template of task pods, in a ConfigMap, has them as YAML: up to
three times as many."""

_NAME = 256
"""More than the longest name of a variable."""


def problems(settings: Settings) -> Iterator[Fault]:
    """Path and message of what is too large. The release and the executor are known ones."""
    airflow = settings.airflow
    for section, options in airflow.options.items():
        path = ("airflow", "configuration", section)
        yield from _variables(options, path, f"put it into {CFG}")
    for place, values in sections(PodSettings, settings):
        texts = values.texts()
        yield from _variables(texts, (*place, "env"), "put it into a volume")
        if _size(texts) > ENVIRONMENT:
            yield (*place, "env"), "is more than 256 KiB; put large values into a volume"
    if _size(plain(settings)) > CONFIG_MAP:
        yield (
            ("airflow", "configuration"),
            f"is more than the 1 MiB that a ConfigMap can have; put long values into {CFG}",
        )


def _variables(values: Mapping[str, object], path: Path, remedy: str) -> Iterator[Fault]:
    for name, value in values.items():
        if "\0" in str(value):
            yield (*path, name), "has a NUL character, which no variable can have"
        elif len(str(value).encode()) > VARIABLE - _NAME:
            yield (*path, name), f"is more than the 128 KiB that a variable can have; {remedy}"


def _size(values: Mapping[str, str]) -> int:
    return sum(len(value.encode()) for value in values.values())
