"""No password is in an argument: every process of a node can read those of the others."""

import re
from collections.abc import Iterator
from typing import Any

from airflow_kubernetes.airflow.releases import RELEASES

from .objects import Objects, containers, objects, pods

GIT = (
    "airflow.dags.source=git airflow.dags.git.repository=https://git.example.com/dags.git "
    "airflow.dags.git.secret=git-login"
)
EXTERNAL = (
    "database.mode=external database.external.host=db database.external.secret=login "
    "broker.mode=external broker.external.secret=broker"
)
VARIANTS = (
    ("KubernetesExecutor", ""), ("CeleryExecutor", EXTERNAL), ("LocalExecutor", GIT),
    ("CeleryKubernetesExecutor", GIT),
)  # fmt: skip
TYPED = re.compile(r'''printf "[^"$]*"( "\$\w+")+ \||\b\w+="\$\w+"''')
"""In a shell's script: the shell's own printf into a pipe, and assignments."""


def variants() -> Iterator[tuple[str, Objects]]:
    for version in RELEASES:
        for executor, more in VARIANTS:
            overrides = f"airflow.version={version} airflow.executor={executor} {more}"
            yield overrides, objects(overrides)


def secret_variables(container: dict[str, Any]) -> set[str]:
    """Variables from Secrets, and those that are put together from them."""
    found: set[str] = set()
    for item in container.get("env", []):
        value = item.get("value", "")
        key = item.get("valueFrom", {}).get("secretKeyRef", {}).get("key", "username")
        if key != "username" or any(f"$({name})" in value for name in found):
            found.add(item["name"])
    return found


def processes(container: dict[str, Any]) -> Iterator[list[str]]:
    """Every command line that Kubernetes starts in a container."""
    yield [*container.get("command", []), *container.get("args", [])]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        yield container.get(probe, {}).get("exec", {}).get("command", [])
    for hook in container.get("lifecycle", {}).values():
        yield hook.get("exec", {}).get("command", [])


def test_no_argument_is_a_password() -> None:
    secrets = set()
    for overrides, rendered in variants():
        for pod, spec in pods(rendered).items():
            for container in containers(spec):
                names = secret_variables(container)
                secrets |= names
                for name in names:
                    for words in processes(container):
                        place = (overrides, pod, container["name"], name)
                        # The kubelet expands $(NAME); a shell expands $NAME and ${NAME}.
                        assert not [word for word in words if f"$({name})" in word], place
                        script = TYPED.sub("", "\n".join(words).partition("<<END")[0])
                        assert not re.search(rf"\$\{{?{name}\b", script), (place, script)
    assert {"ADMIN_PASSWORD", "MYSQL_ROOT_PASSWORD", "REDIS_PASSWORD", "GIT_PASSWORD"} <= secrets
