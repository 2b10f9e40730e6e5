"""kubectl as a subprocess, for one context and namespace."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from ..errors import UserError
from ..kubernetes.manifest import Manifest
from ..kubernetes.namespace import labelled_for_launched_pods, tasks_namespace

MANAGER = "airflow-kubernetes"
"""The manager of the fields that `apply` sets: a field that it no longer sets is removed."""

OWNED = ("--server-side", f"--field-manager={MANAGER}", "--force-conflicts")
"""Options of `apply`. Conflicts are forced: a manual change is drift, which the program undoes."""


class KubectlError(UserError):
    """kubectl failed; the message has its standard error."""


@dataclass(frozen=True)
class Kubectl:
    """kubectl for one cluster context and namespace."""

    context: str
    namespace: str

    @property
    def tasks(self) -> Self:
        """That of the namespace of the pods that tasks launch, whether it exists or not."""
        return replace(self, namespace=tasks_namespace(self.namespace))

    @property
    def namespaces(self) -> tuple[Self, ...]:
        """Airflow's namespace and, where it exists, that of launched pods."""
        found = self.tasks.get_if_allowed("namespace", self.tasks.namespace)
        return (self, self.tasks) if any(map(labelled_for_launched_pods, found)) else (self,)

    def run(
        self,
        *args: str,
        objects: Sequence[Manifest] | None = None,
        ok: Sequence[int] = (0,),
        environment: dict[str, str] | None = None,
    ) -> str:
        """Standard output of a call; `objects` are its standard input, as a List.

        Objects may be of other namespaces too, if each of them names its own.
        Raises KubectlError for an exit code that is not in `ok`.
        """
        # kubectl refuses an object of another namespace than that of this option.
        own = all(
            obj["metadata"].get("namespace", self.namespace) == self.namespace
            for obj in objects or ()
        )
        place = [f"--namespace={self.namespace}"] if own else []
        command = ["kubectl", f"--context={self.context}", *place, *args]
        text = None
        if objects is not None:
            text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        try:
            done = subprocess.run(
                command,
                input=text,
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, **(environment or {})},
            )
        except FileNotFoundError:
            raise KubectlError(
                "kubectl is not on PATH; install it (https://kubernetes.io/docs/tasks/tools/)"
            ) from None
        if done.returncode not in ok:
            raise KubectlError(f"kubectl {' '.join(args)}: {done.stderr.strip()}")
        return done.stdout

    def get(self, *args: str) -> list[Manifest]:
        """The objects that `kubectl get` finds; none if the named object does not exist."""
        text = self.run("get", *args, "--ignore-not-found", "--output=json")
        if not text.strip():
            return []
        result: dict[str, Any] = json.loads(text)
        items: list[Manifest] = result["items"] if result["kind"] == "List" else [result]
        return items

    def get_if_allowed(self, *args: str) -> list[Manifest]:
        """The same; nothing for a user who may not look, or of a kind that the cluster lacks.

        A deployer needs no rights in the namespace of launched pods without such pods, and none to
        KEDA's objects without KEDA.
        """
        try:
            return self.get(*args)
        except KubectlError as error:
            if "Forbidden" in str(error) or "have a resource type" in str(error):
                return []
            raise

    def reach(self) -> None:
        """Raises KubectlError, with what to check, if the cluster does not answer."""
        try:
            self.run("version", "--request-timeout=10s", "--output=json")
        except KubectlError as error:
            raise KubectlError(
                f"the cluster of context {self.context} does not answer ({error}). "
                "Check `kubectl config get-contexts`, KUBECONFIG and kubernetes:context in "
                "Pulumi.<env>.yaml"
            ) from None
