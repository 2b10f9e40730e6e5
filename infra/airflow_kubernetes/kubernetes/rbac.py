"""Service accounts, Roles and their bindings."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .manifest import Manifest, manifest

Rule = dict[str, list[str]]


@dataclass(frozen=True)
class ServiceAccount:
    """A component's own service account. With rules it has a Role, and its pods get a token."""

    component: str
    rules: tuple[Rule, ...] = ()

    @property
    def name(self) -> str:
        """The name of the account, of its Role and of their binding."""
        return f"airflow-{self.component}"

    def manifests(self, namespace: str) -> Iterator[Manifest]:
        """The account and, where it has rules, a Role in the namespace and the binding."""
        yield manifest(
            "v1",
            "ServiceAccount",
            self.name,
            namespace,
            self.component,
            automountServiceAccountToken=False,
        )
        if self.rules:
            yield from self._role(namespace)

    def _role(self, namespace: str) -> Iterator[Manifest]:
        name, rules = self.name, list(self.rules)
        subject: dict[str, Any] = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
        rbac = "rbac.authorization.k8s.io/v1"
        yield manifest(rbac, "Role", name, namespace, self.component, rules=rules)
        yield manifest(
            rbac,
            "RoleBinding",
            name,
            namespace,
            self.component,
            roleRef=reference,
            subjects=[subject],
        )
