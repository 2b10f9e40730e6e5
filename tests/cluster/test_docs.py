"""What docs/production.md gives a deployer and a reader, at the real API server."""

import json
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from tests.program import docs
from tests.program.conftest import render

pytestmark = pytest.mark.cluster

NAMESPACE = "airflow-documented"
NAMESPACES = (NAMESPACE, f"{NAMESPACE}-tasks")
DOCUMENTED = [
    one
    for page in docs.pages()
    for block in page.blocks("yaml")
    for one in docs.objects(block.text)
]


def kubectl(
    *args: str, group: str = "", text: str = "", place: str = NAMESPACE
) -> subprocess.CompletedProcess[str]:
    """A call of kubectl, by some user of a group if one is named; with a namespace or without."""
    user = ("--as=somebody", f"--as-group={group}", "--as-group=system:authenticated")
    where = [f"--namespace={place}"] if place else []
    command = ["kubectl", *where, *(user if group else ()), *args]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def namespace(sandbox: None) -> Iterator[None]:
    """A namespace with the documented Roles and their bindings, and nothing else."""
    roles = [one for one in DOCUMENTED if one["apiVersion"].startswith("rbac")]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": roles})
    text = text.replace('"namespace": "airflow', f'"namespace": "{NAMESPACE}')
    for name in NAMESPACES:
        assert kubectl("create", "namespace", name, place="").returncode == 0
    try:
        done = kubectl("apply", "--filename=-", text=text, place="")
        assert done.returncode == 0, done.stderr
        yield
    finally:
        kubectl("delete", "namespace", *NAMESPACES, "--wait=false", place="")


def test_the_api_server_takes_every_object(namespace: None) -> None:
    for one in DOCUMENTED:
        text = json.dumps(one).replace('"namespace": "airflow', f'"namespace": "{NAMESPACE}')
        call = ("apply", "--server-side", "--dry-run=server", "--filename=-")
        done = kubectl(*call, text=text, place="")
        assert done.returncode == 0, done.stderr


def test_a_deployer_may_apply_everything(namespace: None) -> None:
    objects = list(yaml.safe_load_all(render("sandbox", f"namespace={NAMESPACE}")))
    rights = [one for one in objects if one["kind"] in ("ServiceAccount", "Role", "RoleBinding")]
    others = [one for one in objects if one not in rights and one["kind"] != "Service"]
    for wanted, dry in ((rights, ()), (others, ("--dry-run=server",))):
        text = yaml.safe_dump_all(wanted)
        call = ("apply", "--server-side", *dry, "--filename=-")
        done = kubectl(*call, group="airflow-deployers", text=text, place="")
        assert done.returncode == 0, done.stderr
    elsewhere = kubectl("get", "secrets", "--namespace=default", group="airflow-deployers")
    assert "forbidden" in elsewhere.stderr


INTRUSIONS = (
    "pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy", "nodes/proxy",
    "serviceaccounts/token", "pods/ephemeralcontainers",
)  # fmt: skip


def test_nobody_opens_a_shell_or_reaches_a_port(namespace: None) -> None:
    for group in ("airflow-deployers", "airflow-readers"):
        for resource in INTRUSIONS:
            kind, _, part = resource.partition("/")  # kubectl takes pods/exec for a pod's name
            for verb in ("get", "create", "update"):
                done = kubectl("auth", "can-i", verb, kind, f"--subresource={part}", group=group)
                assert done.stdout == "no\n", (group, verb, resource, done.stderr)
        assert (
            kubectl("auth", "can-i", "get", "pods", "--subresource=log", group=group).stdout
            == "yes\n"
        )
        for verb in ("impersonate", "escalate", "bind"):
            for resource in ("serviceaccounts", "roles", "rolebindings"):
                assert kubectl("auth", "can-i", verb, resource, group=group).stdout == "no\n"


def test_a_reader_may_only_read(namespace: None) -> None:
    kinds = "roles,deployments,persistentvolumeclaims,pods,events,jobs"
    assert kubectl("get", kinds, group="airflow-readers").returncode == 0
    assert "forbidden" in kubectl("get", "secrets", group="airflow-readers").stderr
    by_name = kubectl("get", "secret", "x", group="airflow-readers")
    assert "not found" in by_name.stderr  # Pulumi compares them
    assert kubectl("get", "namespace", NAMESPACE, group="airflow-readers").returncode == 0
    kinds = "roles,rolebindings,serviceaccounts,resourcequotas,limitranges,pods"
    assert kubectl("get", kinds, group="airflow-readers", place=NAMESPACES[1]).returncode == 0
    listed = kubectl("get", "secrets", group="airflow-readers", place=NAMESPACES[1])
    assert "forbidden" in listed.stderr
    get = ("get", "namespace", NAMESPACES[1])
    assert kubectl(*get, group="airflow-readers", place=NAMESPACES[1]).returncode == 0
    done = kubectl("create", "configmap", "x", group="airflow-readers")
    assert "forbidden" in done.stderr
