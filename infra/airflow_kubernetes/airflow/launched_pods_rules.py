"""Cross-field rules about the namespaces in which tasks and executors make pods."""

from collections.abc import Iterator

from ..kubernetes.namespace import SUFFIX, tasks_namespace
from ..settings.problems import Fault
from ..settings.schema import Settings

LONGEST = 63 - len(SUFFIX)
"""Characters of `namespace`: a namespace's name has at most 63 (RFC 1123)."""

ELSEWHERE = ("multi_namespace_mode", "multi_namespace_mode_namespace_list")
"""Options of KubernetesExecutor for pods in other namespaces, which need a ClusterRole."""


def problems(settings: Settings) -> Iterator[Fault]:
    """Path and message of every contradiction."""
    if settings.airflow.tasks.launch_pods and len(settings.namespace) > LONGEST:
        yield (
            ("namespace",),
            f"{len(settings.namespace)} characters, up to {LONGEST} are possible: tasks launch "
            f"pods in {tasks_namespace('<namespace>')}. Shorten it, or set "
            "airflow.tasks.launchPods: false",
        )
    for section, options in settings.airflow.configuration.items():
        for option, value in options.items():
            # [kubernetes] is the section's old name, which 2.x reads too.
            known = section.lower() in ("kubernetes_executor", "kubernetes")
            if known and option.lower() in ELSEWHERE and str(value).lower() not in ("false", ""):
                yield (
                    ("airflow", "configuration", section, option),
                    "KubernetesExecutor has rights in Airflow's namespace alone: remove it; tasks "
                    "launch other pods by KubernetesPodOperator (docs/dags.md)",
                )
