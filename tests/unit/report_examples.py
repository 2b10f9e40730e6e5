"""Environments and reports for the tests of the report."""

from copy import deepcopy
from datetime import date
from typing import Any

from airflow_kubernetes.policies.rules import Violation
from airflow_kubernetes.policies.waivers import Waiver
from airflow_kubernetes.report import collect, markdown
from airflow_kubernetes.report.checkout import Rendered
from airflow_kubernetes.report.model import (
    Checked,
    Dags,
    ParityResult,
    RealState,
    Report,
    Sides,
)

Manifest = dict[str, Any]

NO_DAGS = Dags()
CHECKED = Checked((), {"storage": ("1 GiB", "1 GiB")})


def an_object(kind: str, name: str, protected: bool = False, **content: Any) -> Manifest:
    labels = {"airflow-kubernetes/protected": "true"} if protected else {}
    metadata = {"name": name, "namespace": "airflow", "labels": labels}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **content}


def a_workload(
    kind: str, name: str, image: str = "one", replicas: int = 1, **spec: Any
) -> Manifest:
    labels = {"app.kubernetes.io/name": name}
    pod = {
        "containers": [{"name": "main", "image": image, "env": []}],
        "terminationGracePeriodSeconds": spec.pop("grace", 30),
    }
    return an_object(
        kind,
        name,
        spec={
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
            **spec,
        },
    )


def a_violation(text: str = "is wrong", waived: bool = False) -> Violation:
    """Of an object, a field, a message and a fix that are all called `text`."""
    waiver = Waiver(
        rule="rule", object="Kind/name", reason="until then", owner="me", expires=date(2030, 1, 1)
    )
    return Violation(
        rule="rule",
        kind="Kind",
        name=text,
        path=text,
        message=text,
        why="why",
        fix=text,
        waiver=waiver if waived else None,
    )


def changed(obj: Manifest, *path: str, value: Any) -> Manifest:
    """A copy with another value at a path; None takes the last key away."""
    copy = deepcopy(obj)
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return copy


def one_environment(
    before: list[Manifest] | None,
    after: list[Manifest] | None,
    name: str = "prod",
    stacks: tuple[str | None, str | None] = (None, None),
    checked: Checked = CHECKED,
    real: RealState | None = None,
) -> Any:
    old, new = (None if one is None else Rendered(tuple(one)) for one in (before, after))
    return collect.environment(name, old, new, collect.differences(old, new), stacks, checked, real)


def a_report(
    *environments: Any, parity: tuple[ParityResult, ...] = (), dags: Dags = NO_DAGS
) -> Report:
    sides = Sides("origin/main", "b" * 40, 0, "a" * 40)
    return collect.report(sides, environments, parity, dags)


def written(*environments: Any) -> str:
    return markdown.short(a_report(*environments))[0]


CLAIM = an_object(
    "PersistentVolumeClaim",
    "airflow-mysql",
    protected=True,
    spec={"storageClassName": "slow", "resources": {"requests": {"storage": "10Gi"}}},
)
WEB = a_workload("Deployment", "airflow-web", replicas=2)
MYSQL = a_workload("StatefulSet", "airflow-mysql", serviceName="airflow-mysql")
