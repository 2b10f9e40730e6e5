"""Cross-field rules about the namespace in which tasks launch pods."""

from collections.abc import Iterator

from ..kubernetes.namespace import SUFFIX, tasks_namespace
from ..settings.problems import Fault
from ..settings.schema import Settings

LONGEST = 63 - len(SUFFIX)
"""Characters of `namespace`: a namespace's name has at most 63 (RFC 1123)."""


def problems(settings: Settings) -> Iterator[Fault]:
    """Path and message of every contradiction."""
    if settings.airflow.tasks.launch_pods and len(settings.namespace) > LONGEST:
        yield (
            ("namespace",),
            f"{len(settings.namespace)} characters, up to {LONGEST} are possible: tasks launch "
            f"pods in {tasks_namespace('<namespace>')}. Shorten it, or set "
            "airflow.tasks.launchPods: false",
        )
