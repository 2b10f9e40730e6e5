"""What docs/production.md gives a deployer and a reader: enough, and nothing by which to get in."""

import re
from collections import defaultdict
from collections.abc import Iterator

from airflow_kubernetes.airflow.executors import EXECUTORS
from airflow_kubernetes.airflow.releases import RELEASES

from . import docs
from .objects import Object, objects

DOCUMENTED = [
    obj
    for page in docs.pages()
    for block in page.blocks("yaml")
    for obj in docs.objects(block.text)
]
AIRFLOW, LAUNCHED = (
    [obj for obj in DOCUMENTED if obj["metadata"].get("namespace") == name]
    for name in ("airflow", "airflow-tasks")
)
"""In Airflow's namespace, and in that of the pods that tasks launch."""

ROLES = {obj["metadata"]["name"]: obj for obj in AIRFLOW if obj["kind"] == "Role"}
READ, WRITE = {"get", "list", "watch"}, {"create", "delete", "patch", "update"}
SHELLS = (
    ("", "pods/exec"), ("", "pods/attach"), ("", "pods/portforward"), ("", "pods/proxy"),
    ("", "pods/ephemeralcontainers"), ("", "pods/eviction"), ("", "pods/resize"),
    ("", "services/proxy"), ("", "nodes/proxy"), ("", "nodes"), ("", "serviceaccounts/token"),
    ("", "namespaces/finalize"), ("", "bindings"), ("apps", "deployments/scale"),
    ("certificates.k8s.io", "certificatesigningrequests"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("rbac.authorization.k8s.io", "clusterroles"), ("x.example.com", "anything"),
)  # fmt: skip
"""Resources by which a right to read, or to deploy, becomes another one."""


def allows(role: str, verb: str, group: str, resource: str) -> bool:
    """RBAC's rule (https://kubernetes.io/docs/reference/access-authn-authz/rbac/)."""
    return any(
        {verb, "*"} & {*rule["verbs"]}
        and {group, "*"} & {*rule["apiGroups"]}
        and {resource, "*", f"*/{resource.partition('/')[2]}"} & {*rule["resources"]}
        for rule in ROLES[role]["rules"]
    )


def kinds() -> Iterator[tuple[str, str]]:
    """Group and resource of everything that the program deploys."""
    for version in RELEASES:
        for executor in EXECUTORS:
            more = f"airflow.version={version} airflow.executor={executor} images.login=true"
            more += " airflow.celery.workers.default.maxReplicas=2 airflow.keda.enabled=true"
            for obj in objects(f"{more} airflow.apiServer.maxReplicas=2").values():
                if obj["metadata"].get("namespace") == "airflow-tasks":
                    continue
                group, _, plain = obj["apiVersion"].rpartition("/")
                assert plain
                yield group, f"{re.sub('y$', 'ie', obj['kind'].lower())}s"


def bound(role: Object) -> Iterator[Object]:
    name = role["metadata"]["name"]
    return (o for o in AIRFLOW if o["kind"].endswith("Binding") and o["roleRef"]["name"] == name)


def test_only_these_roles_are_documented_and_bound() -> None:
    assert set(ROLES) == {"airflow-deployer", "airflow-reader"}
    bindings = [obj for obj in AIRFLOW if obj["kind"].endswith("Binding")]
    assert [obj["kind"] for obj in bindings] == ["RoleBinding", "RoleBinding"]
    assert {obj["roleRef"]["kind"] for obj in bindings} == {"Role"}
    assert all([*bound(role)] for role in ROLES.values())
    assert not [obj for obj in DOCUMENTED if obj["kind"] == "ClusterRole"]


def test_nothing_opens_a_shell_or_reaches_a_port() -> None:
    for name, role in ROLES.items():
        for rule in role["rules"]:
            assert "*" not in {*rule["verbs"], *rule["apiGroups"], *rule["resources"]}, rule
            assert not {"impersonate", "escalate", "bind", "approve"} & {*rule["verbs"]}
            found = {resource for resource in rule["resources"] if "/" in resource}
            assert found <= {"pods/log"}, rule
        for group, resource in SHELLS:
            for verb in READ | WRITE | {"connect"}:
                assert not allows(name, verb, group, resource), (name, verb, resource)


def test_a_reader_changes_nothing_and_a_deployer_everything_that_is_deployed() -> None:
    deployed = set(kinds())
    assert len(deployed) > 10
    for group, resource in deployed | {("", "pods")}:
        read = READ if resource != "secrets" else {"get"}
        for verb in READ | WRITE:
            assert allows("airflow-reader", verb, group, resource) == (verb in read), resource
            if resource != "namespaces":
                assert allows("airflow-deployer", verb, group, resource), (verb, resource)
    assert allows("airflow-deployer", "patch", "", "namespaces")
    assert not allows("airflow-deployer", "delete", "", "namespaces")


def test_a_deployer_may_grant_what_the_program_grants() -> None:
    """The API server refuses a Role with rights that its creator does not have."""
    for version in RELEASES:
        for executor in EXECUTORS:
            rendered = objects(f"airflow.version={version} airflow.executor={executor}")
            for role in rendered.values():
                if role["kind"] != "Role" or role["metadata"]["namespace"] == "airflow-tasks":
                    continue
                for rule in role["rules"]:
                    for resource in rule["resources"]:
                        for verb in rule["verbs"]:
                            assert allows("airflow-deployer", verb, "", resource), rule


def test_among_launched_pods_a_deployer_is_admin_and_a_reader_reads() -> None:
    """Only an admin may grant `pods/exec`, and those pods reach nothing of Airflow's."""
    bindings = defaultdict[str, set[str]](set)
    for obj in LAUNCHED:
        if obj["kind"] == "RoleBinding":
            bindings[obj["subjects"][0]["name"]].add(obj["roleRef"]["name"])
    assert bindings == {
        "airflow-deployers": {"admin", "airflow-namespace"},
        "airflow-readers": {"airflow-reader"},
    }
    (reader,) = (obj for obj in LAUNCHED if obj["metadata"]["name"] == "airflow-reader")
    for rule in reader["rules"]:
        assert {*rule["verbs"]} <= READ
        assert "secrets" not in rule["resources"] or rule["verbs"] == ["get"]
