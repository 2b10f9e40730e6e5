"""The stack of an environment, before and after `make up` or `make preview` uses it."""

import json
from dataclasses import replace
from tempfile import NamedTemporaryFile
from typing import Any

from ..errors import CommandError
from ..images import lock
from ..kubectl.foundation import engine_of
from . import pulumi_cli
from .target import Target


def exists(target: Target) -> bool:
    """Whether the backend has the stack, with resources in it.

    Raises CommandError if it has not, although Pulumi deployed the namespace: with another backend,
    or a lost state, Pulumi would take a running environment for an empty one.
    """
    name = target.environment
    found = bool(pulumi_cli.stacks(name).get(name, {}).get("resourceCount"))
    if not found and engine_of(target.kubectl) == "pulumi":
        raise CommandError(
            f"namespace {target.settings.namespace} was deployed by Pulumi, but the backend has no "
            f"stack {name} with resources. Choose the backend that has it (pulumi login, or "
            "PULUMI_BACKEND_URL), or import a copy of its state (pulumi stack import)"
        )
    return found


def finish_creations(target: Target) -> None:
    """Take the namespace and Secrets that an `up` created when it was killed into the state.

    They were not recorded, and the next `up` would find that they exist. Everything else it takes
    over (see program.py). `pulumi refresh --import-pending-creates` only forgets them. Raises
    CommandError.
    """
    state = export(target)
    operations = state["deployment"].pop("pending_operations", None) or []
    created = [
        {**operation["resource"], "id": identity, "outputs": {}}
        for operation in operations
        if operation["type"] == "creating" and (identity := _exists(target, operation["resource"]))
    ]
    if created:
        state["deployment"]["resources"] += created
        load(target, state)


def export(target: Target, *options: str) -> dict[str, Any]:
    """The stack's state, as `pulumi stack export` prints it. Raises CommandError."""
    name = target.environment
    done = pulumi_cli.call("stack", "export", f"--stack={name}", *options)
    state: dict[str, Any] | None = pulumi_cli.parse(done.stdout)
    if state is None:
        raise CommandError(pulumi_cli.explain("stack export", name, done.stderr))
    return state


def load(target: Target, state: dict[str, Any]) -> None:
    """Replace the stack's state; values that it marks as secrets are encrypted.

    Raises CommandError.
    """
    with NamedTemporaryFile("w", suffix=".json") as file:  # readable by the user alone
        json.dump(state, file)
        file.flush()
        pulumi_cli.run(target.environment, "stack", "import", f"--file={file.name}")


def _exists(target: Target, resource: dict[str, Any]) -> str:
    """The provider's id of a Namespace or Secret that the cluster has; else an empty string."""
    kind = resource["type"].rpartition(":")[2]
    if kind not in ("Namespace", "Secret"):
        return ""
    metadata = resource["inputs"]["metadata"]
    name: str = metadata["name"]
    place = replace(target.kubectl, namespace=metadata.get("namespace", target.kubectl.namespace))
    if not place.get(kind, name):
        return ""
    return name if kind == "Namespace" else f"{place.namespace}/{name}"


def record_images(target: Target) -> None:
    """Write the images of the stack's outputs into the lock. Raises CommandError."""
    name = target.environment
    # An output that depends on a secret input, such as a login, is a secret itself.
    options = ("--show-secrets", f"--stack={name}")
    images: dict[str, str] = pulumi_cli.read(name, "stack", "output", "images", *options)
    entries = {name: lock.Entry.of(reference) for name, reference in images.items()}
    by_key = {lock.key(target.settings, name, entry.tag): entry for name, entry in entries.items()}
    lock.update(lock.path(target.settings), by_key)
