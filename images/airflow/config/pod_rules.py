"""Where the pods that DAGs describe may be, and what they may name: anyone who writes a DAG is no
administrator.

Launched pods (KubernetesPodOperator, @task.kubernetes) are in a namespace of their own, and have
none of Airflow's Secrets, claims and accounts. KubernetesExecutor's pods are among those, so a
`pod_override` may name no more of them than the pod template does.

What a DAG's file says is checked when it is parsed; what is known later (templates, mapped
arguments, connections), before the pod is created. A deployment sets the variables: TASKS_NAMESPACE
(empty where tasks may not launch pods), TASKS_PODS_EXEC, KEPT_FROM_DAGS, TASK_PULL_SECRETS,
PRIORITY_CLASSES_KEPT_FROM_DAGS.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

SECRET, CLAIM, ACCOUNT, CONFIG_MAP = "Secret", "claim", "service account", "ConfigMap"
PRIORITY = "priority class"

LAUNCHED, TASK = "airflow-launched-pods", "airflow-task"
"""The service accounts of launched pods and of task pods."""

OWN = {
    CLAIM: {"airflow-backups", "airflow-logs", "airflow-mysql", "airflow-redis"},
    ACCOUNT: {
        "airflow-api-server", "airflow-backup", "airflow-create-admin", "airflow-dag-processor",
        "airflow-flower", "airflow-migrations", "airflow-mysql", "airflow-redis",
        "airflow-scheduler", "airflow-sweep-pods", TASK, "airflow-triggerer", "airflow-webserver",
        "airflow-worker",
    },
    CONFIG_MAP: {
        "airflow-backup", "airflow-config", "airflow-pod-template", "airflow-release-change",
        "airflow-task-images",
    },
}  # fmt: skip
"""Names in Airflow's namespace, by kind; those of its Secrets are in KEPT_FROM_DAGS."""

OPERATORS = {
    "KubernetesPodOperator", "KubernetesResourceBaseOperator", "KubernetesDeleteJobOperator",
    "KubernetesPatchJobOperator",
}  # fmt: skip
"""The provider's operators that take a namespace; others are their subclasses."""

POD_ARGUMENTS = (
    "service_account_name", "secrets", "env_from", "env_vars", "volumes", "init_containers",
    "configmaps", "full_pod_spec", "pod_template_dict", "priority_class_name",
)  # fmt: skip
"""The operator's arguments that may name other objects."""

FIELDS = {
    "serviceaccount": ACCOUNT, "serviceaccountname": ACCOUNT,
    "secretname": SECRET, "secret": SECRET, "secretkeyref": SECRET, "secretref": SECRET,
    "nodepublishsecretref": SECRET,
    "claimname": CLAIM, "datasource": CLAIM, "datasourceref": CLAIM,
    "configmap": CONFIG_MAP, "configmapkeyref": CONFIG_MAP, "configmapref": CONFIG_MAP,
    "priorityclassname": PRIORITY,
}  # fmt: skip
"""Fields of a pod's spec that hold another object's name, or a mapping with it; without _ and in
small letters. A volume may copy a claim (`dataSource`)."""

COMPONENT = "app.kubernetes.io/component"


class Reference(NamedTuple):
    """An object that a pod names, and the key of it that it uses; all keys if empty."""

    kind: str
    name: str
    key: str = ""


def problems_of_task(task: Any) -> Iterator[str]:
    """Why pods of the task could not be created, one line a problem, each with what to set."""
    given = _Arguments(task)
    override = (given.get("executor_config") or {}).get("pod_override")
    yield from _in_airflow(
        [*references(override)], _metadata(override).get("labels"), "pod_override: "
    )
    if not given.of_this_cluster():
        return
    namespace = os.environ["TASKS_NAMESPACE"]
    if not namespace:
        yield (
            "tasks may not create pods in this deployment: set airflow.tasks.launchPods: true in "
            "values/common.yaml, or name another cluster's connection in kubernetes_conn_id, with "
            "in_cluster=False"
        )
        return
    found = given.namespace()
    if found not in (None, namespace):
        yield (
            f"namespace {found or 'not given'}: tasks may create pods in {namespace!r} alone. Set "
            f"namespace={namespace!r}, or give the operator **pod_defaults(); for another cluster, "
            "name its connection in kubernetes_conn_id and set in_cluster=False"
        )
    if given.is_a("KubernetesPodOperator"):
        yield from _launched([*given.references()], bool(given.get("do_xcom_push")))


def check_pod(pod: Any) -> None:
    """Raises ValueError for a pod that may not be created, with the reasons."""
    namespace, labels = pod.metadata.namespace, pod.metadata.labels or {}
    found = set(references(pod.spec))
    problems: list[str] = []
    if namespace == os.environ.get("AIRFLOW__KUBERNETES_EXECUTOR__NAMESPACE"):
        # Whatever its labels say: a pod_override may set them.
        problems += _in_airflow(found - _of_template(), labels)
    if labels.get("airflow_kpo_in_cluster") == "True":
        if namespace != os.environ["TASKS_NAMESPACE"]:
            problems.append(
                f"namespace {namespace!r}: tasks may create pods in "
                f"{os.environ['TASKS_NAMESPACE'] or 'no namespace'} alone"
            )
        sidecar = any(one.name == "airflow-xcom-sidecar" for one in pod.spec.containers)
        problems += _launched(found, sidecar)
    if problems:
        raise ValueError("; ".join(problems))


def references(value: Any) -> Iterator[Reference]:
    """What a pod, or a part of one, names: as a dict, the client's models, or Airflow's Secrets."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from references(item)
    elif hasattr(value, "deploy_type"):
        yield Reference(SECRET, value.secret, value.key or "")
    else:
        for field, content in _fields(value):
            yield from _named(field.replace("_", "").lower(), content)
            yield from references(content)


def _fields(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    return [(name, getattr(value, name)) for name in getattr(value, "openapi_types", ())]


def _named(field: str, content: Any) -> Iterator[Reference]:
    """The reference of one field, by its name without _ and in small letters."""
    if field not in FIELDS:
        return
    if isinstance(content, str):
        yield Reference(FIELDS[field], content)
    elif (inner := dict(_fields(content))).get("name"):
        yield Reference(FIELDS[field], inner["name"], inner.get("key") or "")


def _in_airflow(
    found: Collection[Reference], labels: Mapping[str, str] | None, where: str = ""
) -> Iterator[str]:
    """What a task pod may not have in Airflow's namespace."""
    for kind, name in _own(found):
        # A ConfigMap holds no secret.
        if kind != CONFIG_MAP and name != TASK:
            yield f"{where}the {kind} {name!r} is Airflow's own: name one of yours"
    for problem in _priorities(found):
        yield f"{where}{problem}"
    if (labels or {}).get(COMPONENT, "task") != "task":
        yield f"{where}the label {COMPONENT} says what Airflow's Services reach: leave it out"


def _launched(found: Collection[Reference], result: bool) -> Iterator[str]:
    """What a launched pod does not find in its namespace, and a `result` that nobody may read."""
    namespace = os.environ["TASKS_NAMESPACE"]
    for kind, name in _own(found):
        if name in os.environ.get("TASK_PULL_SECRETS", "").split(","):
            continue  # in both namespaces, where the values name it
        remedy = f"create one of yours in {namespace!r} and name that"
        if kind == ACCOUNT:
            remedy = f"set service_account_name={LAUNCHED!r}"
        yield f"the {kind} {name!r} is Airflow's own, and not in {namespace!r}: {remedy}"
    yield from _priorities(found)
    if result and os.environ.get("TASKS_PODS_EXEC") != "True":
        yield (
            "do_xcom_push=True, and Airflow may not read results from pods in this deployment: set "
            "airflow.tasks.podsExec: true in values/common.yaml, or do_xcom_push=False"
        )


def _own(found: Iterable[Reference]) -> list[tuple[str, str]]:
    """Kind and name of those that are Airflow's own."""
    own = OWN | {SECRET: {*os.environ.get("KEPT_FROM_DAGS", "").split(",")}}
    return sorted({(one.kind, one.name) for one in found if one.name in own.get(one.kind, ())})


def _priorities(found: Iterable[Reference]) -> Iterator[str]:
    """Priority classes by which a pod would displace Airflow itself, or what the cluster needs."""
    kept = os.environ.get("PRIORITY_CLASSES_KEPT_FROM_DAGS", "").split(",")
    for name in sorted({one.name for one in found if one.kind == PRIORITY}):
        if name in kept or name.startswith("system-"):
            yield (
                f"the priority class {name!r} is not for tasks, which must not displace Airflow: "
                "leave it out, or name another"
            )


@lru_cache
def _of_template() -> set[Reference]:
    """What the executor's own pods name: on Airflow 2, the Secrets that every task has.

    Nothing in a task's own pod, which has no template: Airflow 2 shows there what it was made of.
    """
    import yaml

    file = Path(os.environ["AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE"])
    if not file.exists():
        return set()
    return set(references(yaml.safe_load(file.read_text(encoding="utf-8"))))


class _Arguments:
    """What a task was declared with, mapped or not."""

    def __init__(self, task: Any) -> None:
        self._task = task
        self._partial = getattr(task, "partial_kwargs", None)
        operator = type(task) if self._partial is None else task.operator_class
        self._classes: tuple[type, ...] = operator.__mro__

    def get(self, name: str) -> Any:
        """An argument; None if it is not given, or if it is mapped."""
        if self._partial is not None:
            return self._partial.get(name)
        return getattr(self._task, name, None)

    def references(self) -> Iterator[Reference]:
        """What the arguments of KubernetesPodOperator name."""
        for name in POD_ARGUMENTS:
            if name != "env_vars" or not isinstance(self.get(name), Mapping):  # names and values
                yield from references({name: self.get(name)})
        # Names, until the operator makes models of them.
        for name in self.get("configmaps") or ():
            yield Reference(CONFIG_MAP, name)

    def is_a(self, *names: str) -> bool:
        """Whether the task's operator is, or inherits from, a class of one of these names."""
        return any(cls.__name__ in names for cls in self._classes)

    def of_this_cluster(self) -> bool:
        """Whether it is an operator of the Kubernetes provider that uses its pod's own account.

        A connection of another name than the default's may be of any cluster, and the operators of
        cloud providers (EKS, GKE, AKS) are for theirs.
        """
        if not self.is_a(*OPERATORS) or any(map(_of_a_cloud, self._classes)):
            return False
        if self.get("in_cluster") is not None:
            return bool(self.get("in_cluster"))
        if any(self.get(name) for name in ("config_file", "config_dict", "cluster_context")):
            return False
        return self.get("kubernetes_conn_id") in (None, "kubernetes_default")

    def namespace(self) -> str | None:
        """Where the pod would be: "" for the default; None where that is known only later."""
        given = self.get("namespace") or self.get("_namespace")
        for name in ("full_pod_spec", "pod_template_dict"):
            given = given or _metadata(self.get(name)).get("namespace")
        if given:
            return None if "{{" in str(given) else str(given)
        later = any(self.get(name) for name in ("pod_template_file", "yaml_conf", "yaml_conf_file"))
        return None if later or self._partial is not None else ""


def _of_a_cloud(cls: type) -> bool:
    """Whether a class is another provider's operator that launches pods."""
    provider = cls.__module__.startswith("airflow.providers.")
    own = cls.__module__.startswith("airflow.providers.cncf.kubernetes.")
    return provider and not own and any(base.__name__ in OPERATORS for base in cls.__mro__)


def _metadata(pod: Any) -> dict[str, Any]:
    return dict(_fields(dict(_fields(pod)).get("metadata")))
