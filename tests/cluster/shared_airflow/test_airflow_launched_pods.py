"""A DAG's author is not the administrator: what tasks may do, and what they may not.

Scripts run in Airflow's own pods, with its image, its configuration and the real provider.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from ..checkout import checkout
from ..conftest import Deployment, wait_for
from ..scenarios import end, start

pytestmark = pytest.mark.cluster

IMAGE = "10.244.0.1:5000/stand-in/utility:1"


@pytest.fixture(scope="module", autouse=True)
def up(airflow: Deployment) -> None:
    """Airflow with the default values, whatever the modules before have set."""
    airflow.up()


@pytest.fixture(scope="module")
def without_operators(airflow: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The same Airflow, of a checkout without the DAGs that launch pods.

    `make up` refuses to deploy those where tasks may not.
    """
    root = checkout(tmp_path_factory.mktemp("checkout"))
    for name in ("pods", "conflicting_libraries"):
        (root / "dags" / f"{name}.py").unlink()
    return replace(airflow, root=root)


def as_account(airflow: Deployment, account: str) -> str:
    """kubectl's option for a service account in Airflow's namespace."""
    return f"--as=system:serviceaccount:{airflow.namespace}:{account}"


def call(place: Deployment, *args: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """A call of kubectl in a namespace that may fail."""
    command = ["kubectl", f"--namespace={place.namespace}", *args]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def can_i(place: Deployment, action: str, option: str) -> str:
    """Whether an account may do it, yes or no: "create pods/exec"."""
    verb, resource = action.split()
    resource, _, part = resource.partition("/")
    return call(
        place, "auth", "can-i", verb, resource, f"--subresource={part}", option
    ).stdout.strip()


def pod(place: Deployment, name: str, **container: Any) -> str:
    """A pod that Pod Security `restricted` admits, as JSON."""
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    own = {"name": "base", "image": IMAGE, "command": ["sleep", "60"], "securityContext": security}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": place.namespace},
            "spec": {
                "automountServiceAccountToken": False,
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 0,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 65534,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [own | container],
            },
        }
    )


@pytest.fixture
def launch(airflow: Deployment) -> Iterator[Any]:
    """Create pods as a task does; they are deleted afterwards."""
    task = as_account(airflow, "airflow-task")

    def create(name: str, place: Deployment | None = None, **container: Any) -> str:
        """What the API server says against it; empty if it creates the pod."""
        place = place or airflow.tasks
        text = pod(place, name, **container)
        return call(place, task, "create", "--filename=-", text=text).stderr

    yield create
    airflow.tasks.kubectl("delete", "pods", "--all", "--wait=false")


def test_every_account_may_do_what_its_work_requires_and_no_more(airflow: Deployment) -> None:
    may = {
        "airflow-task": {"create pods", "create pods/exec", "get pods", "get pods/log"},
        "airflow-triggerer": {"get pods", "get pods/log"},
        "airflow-scheduler": {"create pods", "get pods", "get pods/log"},
    }
    accounts = ("airflow-task", "airflow-triggerer", "airflow-scheduler", "airflow-api-server")
    asked = (
        "create pods", "create pods/exec", "get pods", "get pods/log", "get secrets",
        "create serviceaccounts/token", "create rolebindings", "create jobs",
    )  # fmt: skip
    for account, action, place in product(accounts, asked, (airflow, airflow.tasks)):
        option = as_account(airflow, account)
        answer = can_i(place, action, option)
        own = airflow if account == "airflow-scheduler" else airflow.tasks
        allowed = place == own and action in may.get(account, ())
        assert answer == ("yes" if allowed else "no"), (account, action, place.namespace)
    launched = f"--as=system:serviceaccount:{airflow.tasks.namespace}:airflow-launched-pods"
    for action, place in product(asked, (airflow, airflow.tasks)):
        assert can_i(place, action, launched) == "no", (action, place.namespace)


def test_a_launched_pod_gets_no_secret_of_airflow(airflow: Deployment, launch: Any) -> None:
    reference = {"secretKeyRef": {"name": "airflow-mysql", "key": "root-password"}}
    wanted = {"env": [{"name": "PASSWORD", "valueFrom": reference}], "command": ["env"]}
    refusal = launch("thief", airflow, **wanted)
    assert "forbidden" in refusal
    assert f'in the namespace "{airflow.namespace}"' in refusal

    assert launch("thief", **wanted) == ""

    def reason() -> str:
        path = "{.status.containerStatuses[0].state.waiting.message}"
        return airflow.tasks.kubectl("get", "pod", "thief", f"-o=jsonpath={path}")

    assert "secret" in wait_for("the pod to wait", reason)
    assert 'secret "airflow-mysql" not found' in reason()
    names = airflow.tasks.kubectl("get", "secrets,pvc", "-o", "name").split()
    assert names == []


def test_the_quota_and_the_limits_apply(airflow: Deployment, launch: Any) -> None:
    cpu = airflow.target().settings.budget.cpu
    assert launch("plain") == ""
    path = "{.spec.containers[0].resources.requests.memory}"
    given = airflow.tasks.kubectl("get", "pod", "plain", f"-o=jsonpath={path}")
    assert given == airflow.target().settings.airflow.tasks.resources.requests.memory
    # As much as the budget, and the other pod has some of it.
    whole = {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}
    assert "exceeded quota: airflow-launched-pods" in launch("large", resources=whole)
    more = {"limits": {"cpu": str(int(cpu) + 1)}}
    assert f"maximum cpu usage per Container is {cpu}" in launch("huge", resources=more)
    assert 'violates PodSecurity "restricted' in launch("root", securityContext={})


PARSE = """
import json, pathlib, sys, tempfile
folder = pathlib.Path(tempfile.mkdtemp(dir="/tmp"))
files = json.load(sys.stdin)
for number, text in enumerate(files):
    (folder / f"tried_{number:02}.py").write_text(text)
try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models import DagBag
bag = DagBag(str(folder))
errors = {pathlib.Path(file).name: error for file, error in bag.import_errors.items()}
found = [errors.get(f"tried_{number:02}.py", "accepted") for number in range(len(files))]
print("found", json.dumps(found))
"""

DAG = """
from datetime import datetime
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.operators.resource import KubernetesCreateResourceOperator
from airflow.providers.cncf.kubernetes.secret import Secret
from kubernetes.client import *
from pod_defaults import pod_defaults
try:
    from airflow.sdk import dag, task
except ImportError:
    from airflow.decorators import dag, task

@dag(schedule=None, start_date=datetime(2024, 1, 1))
def tried_{number}():
    {task}

tried_{number}()
"""


def parse(airflow: Deployment, *tasks: str) -> list[str]:
    """The import error of a DAG with each task, or "accepted"."""
    files = [
        DAG.replace("{task}", task).replace("{number}", str(number))
        for number, task in enumerate(tasks)
    ]
    command = ("exec", "-i", "deployment/airflow-dag-processor", "--", "python", "-c", PARSE)
    done = call(airflow, *command, text=json.dumps(files))
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("found "))
    found: list[str] = json.loads(line.removeprefix("found "))
    return found


OPERATOR = 'KubernetesPodOperator(task_id="t", image="busybox"'
OVERRIDE = "@task(executor_config={'pod_override': V1Pod(%s)})\n    def t(): pass\n    t()"


def test_an_operator_that_cannot_work_is_refused_when_its_dag_is_parsed(
    airflow: Deployment,
) -> None:
    tasks, good = airflow.tasks.namespace, f"{OPERATOR}, **pod_defaults()"
    cases = (
        (f"{good})", "accepted"),
        (f"{good}, do_xcom_push=True)", "accepted"),
        (f'{good}, secrets=[Secret("env", None, "of-mine")])', "accepted"),
        (f'{OPERATOR}, namespace="{tasks}")', "accepted"),
        (f'{OPERATOR}, kubernetes_conn_id="other", namespace="x")', "accepted"),
        ("@task.kubernetes(image='x', **pod_defaults())\n    def t(): pass\n    t()", "accepted"),
        (
            f"{OPERATOR.replace('Operator(', 'Operator.partial(')}, **pod_defaults())"
            '.expand(arguments=[["1"], ["2"]])',
            "accepted",
        ),
        (f"{OPERATOR})", f"namespace not given: tasks may create pods in '{tasks}' alone"),
        (f'{OPERATOR}, namespace="default")', "namespace default: tasks may create pods in"),
        (
            f'{OPERATOR.replace("Operator(", "Operator.partial(")}, namespace="default")'
            '.expand(arguments=[["1"], ["2"]])',
            "namespace default: tasks may create pods in",
        ),
        ("@task.kubernetes(image='x')\n    def t(): pass\n    t()", "namespace not given"),
        (
            f'{good}, secrets=[Secret("env", None, "airflow-mysql")])',
            f"the Secret 'airflow-mysql' is Airflow's own, and not in '{tasks}'",
        ),
        (
            f"{good}, env_vars=[V1EnvVar(name='X', value_from=V1EnvVarSource(secret_key_ref="
            "V1SecretKeySelector(name='airflow-keys', key='fernet-key')))])",
            "the Secret 'airflow-keys' is Airflow's own",
        ),
        (
            f"{good}, volumes=[V1Volume(name='x', persistent_volume_claim="
            "V1PersistentVolumeClaimVolumeSource(claim_name='airflow-mysql'))])",
            "the claim 'airflow-mysql' is Airflow's own",
        ),
        (
            f"{good}, full_pod_spec=V1Pod(spec=V1PodSpec(containers=[], "
            'service_account_name="airflow-scheduler")))',
            "the service account 'airflow-scheduler' is Airflow's own",
        ),
        (
            'KubernetesCreateResourceOperator(task_id="t", namespace="default", yaml_conf="x")',
            "namespace default: tasks may create pods in",
        ),
        (
            OVERRIDE % "spec=V1PodSpec(containers=[], service_account_name='airflow-scheduler')",
            "pod_override: the service account 'airflow-scheduler' is Airflow's own",
        ),
        (
            OVERRIDE % "metadata=V1ObjectMeta(labels={'app.kubernetes.io/component': 'mysql'})",
            "pod_override: the label app.kubernetes.io/component",
        ),
    )
    found_of_all = parse(airflow, *(task for task, _ in cases))
    for (task, expected), found in zip(cases, found_of_all, strict=True):
        assert expected in found, (task, found)
        assert ("task t:" in found) == (expected != "accepted"), (task, found)


EXECUTOR = """
import os

from kubernetes.client import V1Container, V1EnvVar, V1EnvVarSource, V1ObjectMeta, V1Pod, V1PodSpec
from kubernetes.client import V1SecretKeySelector
from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator

template = PodGenerator.deserialize_model_file(
    os.environ["AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE"]
)

def construct(override):
    return PodGenerator.construct_pod(
        dag_id="d", task_id="t", pod_id="p", try_number=1, kube_image="i", date=None, args=["a"],
        pod_override_object=override, base_worker_pod=template, namespace=NAMESPACE,
        scheduler_job_id="1", run_id="r", with_mutation_hook=True,
    )

construct(None)
construct(V1Pod(metadata=V1ObjectMeta(labels={"team": "a"}), spec=V1PodSpec(containers=[])))
selector = V1SecretKeySelector(name="airflow-mysql", key="root-password")
variable = V1EnvVar(name="X", value_from=V1EnvVarSource(secret_key_ref=selector))
other = {"kubernetes_executor": "False", "airflow_kpo_in_cluster": "False"}
for override in (
    V1Pod(spec=V1PodSpec(containers=[V1Container(name="base", env=[variable])])),
    V1Pod(spec=V1PodSpec(containers=[], service_account_name="airflow-scheduler")),
    V1Pod(metadata=V1ObjectMeta(labels={"app.kubernetes.io/component": "mysql"})),
    V1Pod(
        metadata=V1ObjectMeta(labels=other),
        spec=V1PodSpec(containers=[], service_account_name="airflow-scheduler"),
    ),
):
    try:
        construct(override)
    except Exception as error:
        print("refused:", error.__cause__)
    else:
        print("created", override)
"""


def test_the_executor_itself_makes_no_such_pod(airflow: Deployment) -> None:
    """Even where the DAG was not parsed by this program's policy."""
    script = EXECUTOR.replace("NAMESPACE", repr(airflow.namespace))
    command = ("exec", "-i", "deployment/airflow-scheduler", "--container=scheduler", "--")
    done = call(airflow, *command, "python", "-c", script)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith(("refused", "created"))]
    assert len(lines) == 4, done.stdout
    for line, expected in zip(
        lines,
        ("Secret 'airflow-mysql'", "'airflow-scheduler'", "label", "'airflow-scheduler'"),
        strict=True,
    ):
        assert line.startswith("refused: the ")
        assert expected in line


def test_a_launched_pod_and_its_result_are_in_the_namespace_of_launched_pods(
    airflow: Deployment,
) -> None:
    """XCom works without any setting."""
    start(airflow, "conflicting_libraries", "launched")
    selector = "-l=kubernetes_pod_operator=True"

    def seen() -> list[dict[str, Any]]:
        listed = airflow.tasks.kubectl("get", "pods", selector, "-o", "json")
        items: list[dict[str, Any]] = json.loads(listed)["items"]
        return items

    (found, *_) = wait_for("a launched pod", seen)
    assert found["spec"]["serviceAccountName"] == "airflow-launched-pods"
    assert found["spec"]["automountServiceAccountToken"] is False
    assert not any("projected" in volume for volume in found["spec"]["volumes"])
    assert airflow.kubectl("get", "pods", selector, "-o", "name") == ""
    end(airflow, "conflicting_libraries", "launched")


@pytest.mark.long
def test_without_launched_pods_their_rights_are_gone_and_what_users_made_stays(
    airflow: Deployment, without_operators: Deployment
) -> None:
    airflow.tasks.kubectl("create", "secret", "generic", "of-mine", "--from-literal=a=b")
    try:
        refused = airflow.up(ok=False, more="airflow.tasks.launchPods=false")
        assert "dags/pods.py:27: task 'plain': tasks may not create pods" in refused
        output = without_operators.up(more="airflow.tasks.launchPods=false")
        assert "RoleBinding airflow-launch-pods (no longer wanted)" in output
        kinds = "roles,rolebindings,resourcequotas,limitranges,secrets"
        assert airflow.tasks.kubectl("get", kinds, "-o", "name").split() == ["secret/of-mine"]
        assert can_i(airflow.tasks, "create pods", as_account(airflow, "airflow-task")) == "no"
        (refused,) = parse(airflow, f"{OPERATOR}, **pod_defaults())")
        assert "set airflow.tasks.launchPods: true in values/common.yaml" in refused
        airflow.up()
        assert "secret/of-mine" in airflow.tasks.kubectl("get", "secrets", "-o", "name")
        assert "nothing changed" in airflow.up()
    finally:
        airflow.tasks.kubectl("delete", "secret", "of-mine")


@pytest.mark.long
def test_results_that_nobody_may_read_are_refused_when_the_dag_is_parsed(
    airflow: Deployment, without_operators: Deployment
) -> None:
    without_operators.up(more="airflow.tasks.podsExec=false")
    option = as_account(airflow, "airflow-task")
    assert can_i(airflow.tasks, "create pods/exec", option) == "no"
    good = f"{OPERATOR}, **pod_defaults()"
    accepted, refused = parse(airflow, f"{good})", f"{good}, do_xcom_push=True)")
    assert accepted == "accepted"
    assert "set airflow.tasks.podsExec: true in values/common.yaml" in refused
