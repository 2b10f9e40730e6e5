"""Who may do what in the cluster: verbs by component, tokens only where there are verbs."""

from collections.abc import Iterator
from types import MappingProxyType

from ..comparison.leaves import Path
from ..kubernetes.manifest import Manifest
from .rule import HARDENING, Finding, Subject, rule
from .workloads import Workload, workloads

LAUNCH = frozenset({"create", "delete", "get", "list", "patch"})
RUNS_TASKS: dict[str, frozenset[str]] = {
    "pods": LAUNCH,
    "pods/log": frozenset({"get"}),
    "pods/exec": frozenset({"create", "get"}),  # where airflow.tasks.podsExec asks for it
    "events": frozenset({"list"}),
}
ALLOWED: MappingProxyType[str, dict[str, frozenset[str]]] = MappingProxyType(
    {
        # It starts task pods and follows them, and runs local tasks itself.
        "scheduler": RUNS_TASKS | {"pods": LAUNCH | {"watch"}},
        "task": RUNS_TASKS,
        "worker": RUNS_TASKS,
        "triggerer": {
            "pods": frozenset({"delete", "get"}),
            "pods/log": frozenset({"get"}),
            "events": frozenset({"list", "watch"}),
        },
    }
)
"""By component (its label) and resource of the core API: the verbs that it may have, at most.

What it does have depends on settings and is told in airflow/rbac.py. Nobody may read
Secrets: with that, every component would have every other one's.
"""

RBAC = ("Role", "ClusterRole")
BINDINGS = ("RoleBinding", "ClusterRoleBinding")


@rule(
    fix="ask for less, or add the verb to ALLOWED in policies/rbac.py, with the call that needs it",
    source=HARDENING,
)
def rbac_verbs(subject: Subject) -> Iterator[Finding]:
    """Who takes a component over has its verbs: each has few, and in its own namespace."""
    for obj in subject.objects:
        if obj["kind"] in ("ClusterRole", "ClusterRoleBinding"):
            yield Finding(obj, (), "reaches beyond the namespace")
        if obj["kind"] in RBAC:
            for number, granted in enumerate(obj.get("rules") or []):
                for message in _too_much(_component(obj), granted):
                    yield Finding(obj, ("rules", f"[{number}]"), message)


@rule(fix="bind the Role to the component's own service account", source=HARDENING)
def bound_to_accounts(subject: Subject) -> Iterator[Finding]:
    """A binding to a user or a group gives its verbs to people and to other namespaces."""
    for obj in subject.objects:
        if obj["kind"] in BINDINGS:
            for one in obj.get("subjects") or []:
                path: Path = ("subjects", f"[{one['name']}]")
                elsewhere = one.get("namespace") != obj["metadata"].get("namespace")
                if one["kind"] != "ServiceAccount":
                    yield Finding(obj, (*path, "kind"), f"is a {one['kind']}")
                elif elsewhere:
                    yield Finding(obj, (*path, "namespace"), "is not the binding's")


@rule(fix="name a service account that is only this component's", source=HARDENING)
def own_account(subject: Subject) -> Iterator[Finding]:
    """The account `default` is everybody's: what one gets, all get."""
    for workload in workloads(subject.objects):
        if workload.pod.get("serviceAccountName", "default") == "default":
            yield workload.finding("is not set", "serviceAccountName")


@rule(
    fix="set automountServiceAccountToken: false, on the pod or on its account",
    source=HARDENING,
    whole=True,
)
def no_idle_token(subject: Subject) -> Iterator[Finding]:
    """A token opens the API server; where nothing is done with it, it only helps who breaks in."""
    bound = {
        one["name"]
        for obj in subject.objects
        if obj["kind"] in BINDINGS
        for one in obj.get("subjects") or []
    }
    accounts = {
        obj["metadata"]["name"]: obj for obj in subject.objects if obj["kind"] == "ServiceAccount"
    }
    for workload in workloads(subject.objects):
        name = workload.pod.get("serviceAccountName", "default")
        if name not in bound:
            if _mounted(workload, accounts.get(name, {})):
                message = f"{name} has no Role"
                yield workload.finding(message, "automountServiceAccountToken")
            for volume in workload.pod.get("volumes") or []:
                sources = (volume.get("projected") or {}).get("sources") or []
                if any("serviceAccountToken" in source for source in sources):
                    message = f"mounts a token of {name}, which has no Role"
                    yield workload.finding(message, "volumes", f"[{volume['name']}]")


def _mounted(workload: Workload, account: Manifest) -> bool:
    """The pod's word goes before its account's; Kubernetes' default is yes."""
    for place in (workload.pod, account):
        if (asked := place.get("automountServiceAccountToken")) is not None:
            return bool(asked)
    return True


def _component(obj: Manifest) -> str:
    labels = obj["metadata"].get("labels") or {}
    return str(labels.get("app.kubernetes.io/component", ""))


def _too_much(component: str, granted: dict[str, list[str]]) -> Iterator[str]:
    allowed = ALLOWED.get(component, {})
    for group in granted.get("apiGroups") or []:
        if group:
            yield f"asks for the API group {group}"
    for url in granted.get("nonResourceURLs") or []:
        yield f"asks for {url}"
    for resource in granted.get("resources") or []:
        more = sorted(set(granted.get("verbs") or []) - allowed.get(resource, frozenset()))
        if more:
            yield f"{component or 'nobody'} may not {', '.join(more)} {resource}"


RULES = (rbac_verbs, bound_to_accounts, own_account, no_idle_token)
