"""What a DAG's author may not have is refused when the DAG is parsed, or before the pod starts."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from airflow_kubernetes.paths import ROOT

CONFIG = ROOT / "images" / "airflow" / "config"

DEPLOYED = {
    "TASKS_NAMESPACE": "airflow-tasks",
    "TASKS_PODS_EXEC": "True",
    "KEPT_FROM_DAGS": "airflow-keys,airflow-mysql,db,mine",
    "TASK_PULL_SECRETS": "mine",
    "PRIORITY_CLASSES_KEPT_FROM_DAGS": "airflow-system,airflow-workers",
    "AIRFLOW__KUBERNETES_EXECUTOR__NAMESPACE": "airflow",
}


class RefusedError(Exception):
    """Stands in for Airflow's own."""


class KubernetesPodOperator:
    """Stands in for the provider's operator, with its defaults."""

    def __init__(self, **arguments: Any) -> None:
        defaults = {"kubernetes_conn_id": "kubernetes_default", "do_xcom_push": False}
        self.__dict__.update(
            {"task_id": "t", "queue": "default", "executor": None} | defaults | arguments
        )


class KubernetesResourceBaseOperator:
    """As the provider's, which keeps its namespace to itself."""

    def __init__(self, namespace: str | None = None, **arguments: Any) -> None:
        self.__dict__.update({"task_id": "t", "queue": "default", "executor": None} | arguments)
        self._namespace = namespace


class KubernetesCreateResourceOperator(KubernetesResourceBaseOperator):
    """As the provider's."""


class Decorated(KubernetesPodOperator):
    """Stands in for @task.kubernetes."""


class OfGoogle(KubernetesPodOperator):
    """Stands in for GKEStartPodOperator."""


OfGoogle.__module__ = "airflow.providers.google.cloud.operators.kubernetes_engine"


class OwnOfGoogle(OfGoogle):
    """A user's operator that inherits from it."""


class PythonOperator:
    """Any other operator."""

    def __init__(self, **arguments: Any) -> None:
        self.__dict__.update({"task_id": "t", "queue": "default", "executor": None} | arguments)


class Model:
    """As the models of Kubernetes' client: fields by names with _."""

    def __init__(self, **fields: Any) -> None:
        self.openapi_types = dict.fromkeys(fields, "object")
        self.__dict__.update(fields)


def mapped(operator: type, **partial: Any) -> SimpleNamespace:
    """As Airflow's mapped operators."""
    return SimpleNamespace(
        task_id="t", queue="default", executor=None, operator_class=operator, partial_kwargs=partial
    )


class Policies:
    """airflow_local_settings.py in a deployment with these variables, or outside of one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        monkeypatch.syspath_prepend(str(CONFIG))
        exceptions = ModuleType("airflow.exceptions")
        exceptions.AirflowClusterPolicyViolation = RefusedError  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "airflow", ModuleType("airflow"))
        monkeypatch.setitem(sys.modules, "airflow.exceptions", exceptions)
        self.deploy(**DEPLOYED)

    def deploy(self, **variables: str) -> None:
        for name in DEPLOYED:
            self._monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)
        for name in ("airflow_local_settings", "pod_rules", "pod_defaults", "task_profiles"):
            sys.modules.pop(name, None)

    def problems(self, task: Any) -> list[str]:
        """What is wrong with a task, by line; empty if it is accepted."""
        import airflow_local_settings  # type: ignore[import-not-found]

        try:
            airflow_local_settings.task_policy(task)
        except RefusedError as refusal:
            head, *lines = str(refusal).splitlines()
            assert head == "task t:"
            assert lines
            return [line.removeprefix("  ") for line in lines]
        return []

    def defaults(self) -> dict[str, Any]:
        import pod_defaults  # type: ignore[import-not-found]

        found: dict[str, Any] = pod_defaults.pod_defaults()
        return found

    def create(self, pod: Any) -> str:
        """Why a pod is not created; empty if it is."""
        import airflow_local_settings

        try:
            airflow_local_settings.pod_mutation_hook(pod)
        except ValueError as error:
            return str(error)
        return ""


@pytest.fixture
def policies(monkeypatch: pytest.MonkeyPatch) -> Iterator[Policies]:
    yield Policies(monkeypatch)
    for name in ("airflow_local_settings", "pod_rules", "pod_defaults", "task_profiles"):
        sys.modules.pop(name, None)


def secret(deploy_type: str, name: str, key: str | None = None) -> SimpleNamespace:
    """As airflow.providers.cncf.kubernetes.secret.Secret."""
    return SimpleNamespace(deploy_type=deploy_type, deploy_target=None, secret=name, key=key)


def test_what_works_is_accepted(policies: Policies) -> None:
    good = policies.defaults()
    for task in (
        KubernetesPodOperator(**good),
        KubernetesPodOperator(**good, do_xcom_push=True),
        KubernetesPodOperator(namespace="airflow-tasks"),
        KubernetesPodOperator(namespace="airflow-tasks", service_account_name="default"),
        KubernetesPodOperator(**good, secrets=[secret("env", "of-mine")]),
        KubernetesPodOperator(**good, secrets=[secret("env", "mine")]),
        KubernetesPodOperator(**good, priority_class_name="of-mine"),
        KubernetesPodOperator(**good, image_pull_secrets=[Model(name="airflow-registry")]),
        KubernetesPodOperator(full_pod_spec=Model(metadata=Model(namespace="airflow-tasks"))),
        KubernetesPodOperator(pod_template_dict={"metadata": {"namespace": "airflow-tasks"}}),
        # Known only later; checked before the pod is created.
        KubernetesPodOperator(namespace="{{ params.where }}"),
        KubernetesPodOperator(pod_template_file="pod.yaml"),
        mapped(KubernetesPodOperator, in_cluster=True),
        # In another cluster.
        KubernetesPodOperator(kubernetes_conn_id="another", namespace="x", do_xcom_push=True),
        KubernetesPodOperator(in_cluster=False, namespace="x"),
        KubernetesPodOperator(config_file="/kube/config", namespace="x"),
        OfGoogle(namespace="x", service_account_name="airflow-scheduler"),
        OwnOfGoogle(namespace="x"),
        # Variables of a mapped operator are names and values.
        mapped(
            KubernetesPodOperator,
            namespace="airflow-tasks",
            env_vars={"SECRET_NAME": "airflow-mysql"},
        ),
        KubernetesCreateResourceOperator(namespace="airflow-tasks"),
        KubernetesCreateResourceOperator(yaml_conf="kind: Pod"),
        PythonOperator(namespace="x"),
        PythonOperator(executor_config={"pod_override": Model(spec=Model(containers=[]))}),
    ):
        assert policies.problems(task) == [], task.__dict__


def test_a_pod_elsewhere_is_refused_with_the_namespace_to_set(policies: Policies) -> None:
    good = policies.defaults()
    for task, what in (
        (KubernetesPodOperator(), "not given"),
        (Decorated(), "not given"),
        (KubernetesPodOperator(namespace="airflow"), "airflow"),
        (KubernetesPodOperator(**good | {"namespace": "default"}), "default"),
        (KubernetesPodOperator(kubernetes_conn_id=None, namespace="x"), "x"),
        (KubernetesPodOperator(kubernetes_conn_id="any", in_cluster=True, namespace="x"), "x"),
        (KubernetesPodOperator(full_pod_spec=Model(metadata=Model(namespace="y"))), "y"),
        (KubernetesPodOperator(pod_template_dict={"metadata": {"namespace": "z"}}), "z"),
        (mapped(KubernetesPodOperator, namespace="airflow"), "airflow"),
        (KubernetesCreateResourceOperator(), "not given"),
        (KubernetesCreateResourceOperator(namespace="airflow"), "airflow"),
    ):
        (problem,) = policies.problems(task)
        assert problem.startswith(f"namespace {what}: tasks may create pods in 'airflow-tasks' ")
        assert "Set namespace='airflow-tasks', or give the operator **pod_defaults()" in problem


def test_what_is_airflow_s_own_is_refused(policies: Policies) -> None:
    """Each way to name an object, as the client's models and as plain data."""
    good = policies.defaults()
    mysql = "the Secret 'airflow-mysql' is Airflow's own, and not in 'airflow-tasks': create one"
    spec = {"spec": {"containers": [{"envFrom": [{"secretRef": {"name": "airflow-mysql"}}]}]}}
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"secrets": [secret("env", "airflow-mysql")]}, mysql),
        ({"secrets": [secret("volume", "airflow-mysql", "root-password")]}, mysql),
        ({"env_from": [Model(secret_ref=Model(name="airflow-mysql"))]}, mysql),
        (
            {
                "env_vars": [
                    Model(value_from=Model(secret_key_ref=Model(name="airflow-mysql", key="k")))
                ]
            },
            mysql,
        ),
        ({"volumes": [Model(secret={"secretName": "airflow-mysql"})]}, mysql),
        (
            {
                "volumes": [
                    Model(projected=Model(sources=[Model(secret=Model(name="airflow-mysql"))]))
                ]
            },
            mysql,
        ),
        ({"init_containers": spec["spec"]["containers"]}, mysql),
        (
            {
                "full_pod_spec": Model(
                    spec=Model(volumes=[{"secret": {"secretName": "airflow-mysql"}}])
                )
            },
            mysql,
        ),
        ({"pod_template_dict": spec}, mysql),
        ({"secrets": [secret("env", "db")]}, "the Secret 'db' is Airflow's own"),
        (
            {"volumes": [Model(persistent_volume_claim=Model(claim_name="airflow-backups"))]},
            "the claim 'airflow-backups' is Airflow's own, and not in 'airflow-tasks': create one",
        ),
        ({"configmaps": ["airflow-config"]}, "the ConfigMap 'airflow-config' is Airflow's own"),
        *(
            (
                {"service_account_name": account},
                f"the service account '{account}' is Airflow's own, and not in 'airflow-tasks': "
                "set service_account_name='airflow-launched-pods'",
            )
            for account in ("airflow-scheduler", "airflow-task", "airflow-worker")
        ),
    )
    for arguments, expected in cases:
        for task in (
            KubernetesPodOperator(**good | arguments),
            Decorated(**good | arguments),
            mapped(KubernetesPodOperator, **good | arguments),
        ):
            (problem,) = policies.problems(task)
            assert problem.startswith(expected), arguments


def test_no_task_may_displace_airflow(policies: Policies) -> None:
    good = policies.defaults()
    for name in ("airflow-system", "airflow-workers", "system-node-critical"):
        override = Model(spec=Model(priority_class_name=name))
        for task in (
            KubernetesPodOperator(**good, priority_class_name=name),
            KubernetesPodOperator(**good, full_pod_spec={"spec": {"priorityClassName": name}}),
            PythonOperator(executor_config={"pod_override": override}),
        ):
            (problem,) = policies.problems(task)
            assert f"the priority class {name!r} is not for tasks" in problem


def test_a_result_that_nobody_may_read_is_refused(policies: Policies) -> None:
    good = policies.defaults()
    policies.deploy(**DEPLOYED | {"TASKS_PODS_EXEC": "False"})
    assert policies.problems(KubernetesPodOperator(**good)) == []
    (problem,) = policies.problems(KubernetesPodOperator(**good, do_xcom_push=True))
    assert (
        "set airflow.tasks.podsExec: true in values/common.yaml, or do_xcom_push=False" in problem
    )


def test_all_problems_of_a_task_are_reported(policies: Policies) -> None:
    policies.deploy(**DEPLOYED | {"TASKS_PODS_EXEC": "False"})
    task = KubernetesPodOperator(
        do_xcom_push=True, service_account_name="airflow-task", secrets=[secret("env", "db")]
    )
    assert len(policies.problems(task)) == 4


def test_without_launched_pods_every_such_operator_is_refused(policies: Policies) -> None:
    policies.deploy(**DEPLOYED | {"TASKS_NAMESPACE": ""})
    assert "namespace" not in policies.defaults()
    for task in (
        KubernetesPodOperator(**policies.defaults()),
        KubernetesPodOperator(namespace="x"),
    ):
        (problem,) = policies.problems(task)
        assert "set airflow.tasks.launchPods: true in values/common.yaml" in problem
    assert policies.problems(KubernetesPodOperator(kubernetes_conn_id="another")) == []
    assert policies.problems(PythonOperator()) == []


def test_on_a_laptop_nothing_is_refused(policies: Policies) -> None:
    policies.deploy()
    assert policies.problems(KubernetesPodOperator()) == []


def variable(secret_name: str, key: str) -> dict[str, Any]:
    """A container with a variable from a Secret's key."""
    reference = {"secretKeyRef": {"name": secret_name, "key": key}}
    return {"env": [{"name": "X", "valueFrom": reference}]}


COPY = {"spec": {"dataSource": {"kind": "PersistentVolumeClaim", "name": "airflow-mysql"}}}

OVERRIDES = (
    ({"spec": {"serviceAccountName": "airflow-scheduler"}}, "service account 'airflow-scheduler'"),
    (
        {"spec": {"containers": [variable("airflow-mysql", "root-password")]}},
        "Secret 'airflow-mysql'",
    ),
    ({"spec": {"volumes": [{"secret": {"secretName": "mine"}}]}}, "Secret 'mine'"),
    (
        {"spec": {"volumes": [{"persistentVolumeClaim": {"claimName": "airflow-mysql"}}]}},
        "claim 'airflow-mysql'",
    ),
    (
        {"spec": {"volumes": [{"ephemeral": {"volumeClaimTemplate": COPY}}]}},
        "claim 'airflow-mysql'",
    ),
    ({"metadata": {"labels": {"app.kubernetes.io/component": "mysql"}}}, "label app.kubernetes.io"),
)  # fmt: skip


def test_a_task_pod_gets_no_more_than_its_template(policies: Policies) -> None:
    for override, expected in OVERRIDES:
        config = {"executor_config": {"pod_override": override}}
        for task in (PythonOperator(**config), mapped(PythonOperator, **config)):
            (problem,) = policies.problems(task)
            assert problem.startswith("pod_override: the ")
            assert expected in problem


TEMPLATE = """
metadata: {labels: {app.kubernetes.io/component: task}}
spec:
  serviceAccountName: airflow-task
  containers:
  - env:
    - name: PASSWORD
      valueFrom: {secretKeyRef: {name: airflow-mysql, key: password}}
  volumes:
  - {name: logs, persistentVolumeClaim: {claimName: airflow-logs}}
"""


def pod(
    namespace: str, labels: dict[str, str] | None = None, sidecar: bool = False, **spec: Any
) -> SimpleNamespace:
    """A pod as it is about to be created."""
    names = ["base", "airflow-xcom-sidecar"] if sidecar else ["base"]
    containers = [SimpleNamespace(name=name) for name in names]
    return SimpleNamespace(
        metadata=SimpleNamespace(namespace=namespace, labels=labels, annotations=None),
        spec=Model(containers=containers, **spec),
    )


def test_the_executor_creates_no_pod_beyond_the_template(
    policies: Policies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the pod's labels say: an override may set them."""
    file = tmp_path / "pod_template.yaml"
    file.write_text(TEMPLATE)
    monkeypatch.setenv("AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE", str(file))
    own: dict[str, Any] = {
        "service_account_name": "airflow-task",
        "volumes": [{"persistentVolumeClaim": {"claimName": "airflow-logs"}}],
        "init_containers": [variable("airflow-mysql", "password")],
    }
    for labels in (None, {"airflow_kpo_in_cluster": "False", "kubernetes_executor": "False"}):
        assert policies.create(pod("airflow", labels, **own)) == ""
        for more, expected in (
            ({"service_account_name": "airflow-scheduler"}, "airflow-scheduler"),
            ({"volumes": [{"persistentVolumeClaim": {"claimName": "airflow-mysql"}}]}, "claim"),
            (
                {"init_containers": [variable("airflow-mysql", "root-password")]},
                "Secret 'airflow-mysql'",
            ),
        ):  # fmt: skip
            assert expected in policies.create(pod("airflow", labels, **own | more))
    hijack = {"app.kubernetes.io/component": "mysql"}
    assert "label app.kubernetes.io/component" in policies.create(pod("airflow", hijack, **own))


def test_what_is_known_late_is_refused_before_the_pod_is_created(policies: Policies) -> None:
    own = {"airflow_kpo_in_cluster": "True"}
    assert policies.create(pod("airflow-tasks", own)) == ""
    assert "namespace 'default'" in policies.create(pod("default", own))
    assert policies.create(pod("default", {"airflow_kpo_in_cluster": "False"})) == ""
    named = pod("airflow-tasks", own, service_account_name="airflow-task")
    assert "service account 'airflow-task'" in policies.create(named)
    policies.deploy(**DEPLOYED | {"TASKS_PODS_EXEC": "False"})
    assert "podsExec: true" in policies.create(pod("airflow-tasks", own, sidecar=True))
