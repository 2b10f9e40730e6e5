"""Service accounts, Roles and their bindings."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..settings.schema import AccountSettings
from .manifest import Manifest, manifest

Rule = dict[str, list[str]]

API = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class ServiceAccount:
    """A component's own service account. With rules it has a Role, and its pods get a token.

    `bound_elsewhere`: a Role in another namespace is bound to it, so its pods get a token too.
    `values` are its annotations and labels.
    """

    component: str
    rules: tuple[Rule, ...] = ()
    bound_elsewhere: bool = False
    values: AccountSettings = field(default_factory=AccountSettings)

    @property
    def name(self) -> str:
        """The name of the account, of its Role and of their binding."""
        return f"airflow-{self.component}"

    @property
    def token(self) -> bool:
        """Whether its pods get a token of the API server."""
        return bool(self.rules) or self.bound_elsewhere

    def manifests(self, namespace: str) -> Iterator[Manifest]:
        """The account and, where it has rules, a Role in the namespace and the binding."""
        yield manifest(
            "v1",
            "ServiceAccount",
            self.name,
            namespace,
            self.component,
            annotations=self.values.annotations,
            more_labels=self.values.labels,
            automountServiceAccountToken=False,
        )
        if self.rules:
            accounts = [(namespace, self.name)]
            yield from role_manifests(namespace, self.component, [*self.rules], accounts)


def role_manifests(
    namespace: str, component: str, rules: list[Rule], accounts: Iterable[tuple[str, str]]
) -> Iterator[Manifest]:
    """A Role in the namespace, and its binding to accounts, each given as namespace and name."""
    name = f"airflow-{component}"
    yield manifest(f"{API}/v1", "Role", name, namespace, component, rules=rules)
    yield manifest(
        f"{API}/v1",
        "RoleBinding",
        name,
        namespace,
        component,
        roleRef={"apiGroup": API, "kind": "Role", "name": name},
        subjects=[
            {"kind": "ServiceAccount", "name": account, "namespace": place}
            for place, account in accounts
        ],
    )
