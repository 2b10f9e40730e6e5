"""Rules about access to the API server: few verbs, and tokens only where there are verbs."""

from collections.abc import Iterator
from itertools import product

from ..airflow.manifests import granted
from ..comparison.leaves import Path
from ..kubernetes.rbac import Rule as Grant
from .rule import HARDENING, Finding, Subject, rule
from .workloads import field_rule, workloads

BINDINGS = ("RoleBinding", "ClusterRoleBinding")
MOUNT = "automountServiceAccountToken"

FORBIDDEN = {
    "bind", "escalate", "impersonate", "rbac.authorization.k8s.io", "secrets",
    "serviceaccounts/token",
}  # fmt: skip
"""Verbs, API groups and resources that no component may have, even if airflow/rbac.py grants them:
the Secrets of all components, and ways to more rights. Nor may any have a wildcard.
https://kubernetes.io/docs/concepts/security/rbac-good-practices/"""


@rule(
    fix="grant less; a verb that a call of the component needs is granted in airflow/rbac.py",
    source=HARDENING,
)
def rbac_verbs(subject: Subject) -> Iterator[Finding]:
    """Anyone who takes over a component has its verbs: no wildcard, no Secrets, no escalation,
    nothing outside Airflow's namespaces, and nothing beyond the table in airflow/rbac.py.
    """
    for obj in subject.of_kind("ClusterRole", "ClusterRoleBinding"):
        yield Finding(obj, (), "reaches beyond the namespaces")
    for obj in subject.of_kind("Role", "ClusterRole"):
        labels = obj["metadata"].get("labels") or {}
        component = labels.get("app.kubernetes.io/component", "")
        allowed = {
            permission
            for grant in granted(subject.settings, component)
            for permission in product(grant["apiGroups"], grant["resources"], grant["verbs"])
        }
        for number, grant in enumerate(obj.get("rules") or []):
            for excess in _excess(grant, allowed):
                message = f"{component or 'an unlabelled Role'} may not {excess}"
                yield Finding(obj, ("rules", f"[{number}]"), message)


@rule(
    fix="bind the Role to a component's own service account in Airflow's namespace",
    source=HARDENING,
)
def bound_to_accounts(subject: Subject) -> Iterator[Finding]:
    """A binding to a user or a group gives its verbs to people and to other namespaces; one to an
    account of launched pods gives them to anyone who writes a DAG.
    """
    for obj in subject.of_kind(*BINDINGS):
        for account in obj.get("subjects") or []:
            path: Path = ("subjects", f"[{account['name']}]")
            if account["kind"] != "ServiceAccount":
                yield Finding(obj, (*path, "kind"), f"is a {account['kind']}")
            elif account.get("namespace") != subject.settings.namespace:
                yield Finding(obj, (*path, "namespace"), "is not Airflow's")


field_rule(
    "own-account",
    "The account `default` is shared: every verb that it has, all of its pods have.",
    "name a service account that only this component uses",
    {"serviceAccountName": lambda name: name not in (None, "default")},
    source=HARDENING,
)


@rule(
    fix="set automountServiceAccountToken: false, on the pod or on its account",
    source=HARDENING,
    whole_stack=True,
)
def no_idle_token(subject: Subject) -> Iterator[Finding]:
    """A component without verbs has no use for a token of the API server; an intruder has."""
    bindings = subject.of_kind(*BINDINGS)
    bound = {account["name"] for obj in bindings for account in obj.get("subjects") or []}
    accounts = {obj["metadata"]["name"]: obj for obj in subject.of_kind("ServiceAccount")}
    for workload in workloads(subject.objects):
        name = workload.pod.get("serviceAccountName", "default")
        # The pod's setting overrides the service account's; Kubernetes' default is true.
        account = accounts.get(name, {})
        if name not in bound and workload.pod.get(MOUNT, account.get(MOUNT)) is not False:
            yield workload.finding(f"{name} has no Role", MOUNT)


def _excess(grant: Grant, allowed: set[tuple[str, str, str]]) -> Iterator[str]:
    """What a grant has that is forbidden, or not among the allowed groups, resources and verbs."""
    yield from (f"access {url}" for url in grant.get("nonResourceURLs") or [])
    for group, resource in product(grant.get("apiGroups") or [], grant.get("resources") or []):
        verbs = [
            verb
            for verb in grant.get("verbs") or []
            if (group, resource, verb) not in allowed
            or {group, resource, verb} & FORBIDDEN
            or "*" in group + resource + verb
        ]
        if verbs:
            yield f"{', '.join(sorted(verbs))} {group and f'{group}/'}{resource}"
