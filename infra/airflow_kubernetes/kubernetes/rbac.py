"""Service accounts, Roles and their bindings."""

from collections.abc import Iterator
from typing import Any

from .manifest import Manifest, manifest

Rule = dict[str, list[str]]


def account(namespace: str, component: str) -> Manifest:
    """A component's own service account; pods mount a token only where they ask for it."""
    return manifest(
        "v1",
        "ServiceAccount",
        f"airflow-{component}",
        namespace,
        component,
        automountServiceAccountToken=False,
    )


def role(namespace: str, component: str, rules: list[Rule]) -> Iterator[Manifest]:
    """A Role with `rules` and its binding to the component's service account."""
    name = f"airflow-{component}"
    subject: dict[str, Any] = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    rbac = "rbac.authorization.k8s.io/v1"
    yield manifest(rbac, "Role", name, namespace, component, rules=rules)
    yield manifest(
        rbac, "RoleBinding", name, namespace, component, roleRef=reference, subjects=[subject]
    )
