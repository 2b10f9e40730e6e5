"""A thin call of kubectl for one context and namespace."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import UserError
from ..kubernetes.manifest import Manifest

# Conflicts are forced: what somebody else changed by hand is drift, and goes back to the program's.
OWNED = ("--server-side", "--field-manager=airflow-kubernetes", "--force-conflicts")


class KubectlError(UserError):
    """kubectl failed; the message is what it said."""


@dataclass(frozen=True)
class Kubectl:
    """kubectl for one cluster context and namespace."""

    context: str
    namespace: str

    def run(
        self,
        *args: str,
        objects: Sequence[Manifest] | None = None,
        ok: Sequence[int] = (0,),
        environment: dict[str, str] | None = None,
    ) -> str:
        """Standard output of a call; `objects` go in as a List. Raises KubectlError."""
        command = ["kubectl", f"--context={self.context}", f"--namespace={self.namespace}", *args]
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
        """The objects that `kubectl get` finds; none if the named one does not exist."""
        text = self.run("get", *args, "--ignore-not-found", "--output=json")
        if not text.strip():
            return []
        found: dict[str, Any] = json.loads(text)
        items: list[Manifest] = found["items"] if found["kind"] == "List" else [found]
        return items

    def reach(self) -> None:
        """Raises KubectlError, saying what to check, if the cluster does not answer."""
        try:
            self.run("version", "--request-timeout=10s", "--output=json")
        except KubectlError as error:
            raise KubectlError(
                f"the cluster of context {self.context} does not answer ({error}). "
                "Check `kubectl config get-contexts`, KUBECONFIG and kubernetes:context in "
                "Pulumi.<env>.yaml"
            ) from None
