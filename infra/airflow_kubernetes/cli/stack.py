"""The stack of an environment, before `make up` or `make preview` uses it."""

from ..errors import CommandError
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

    Everything else is taken over by the next `up` (see program.py). Raises CommandError.
    """
    name = target.environment
    done = pulumi_cli.call("stack", "export", f"--stack={name}")
    state = pulumi_cli.parse(done.stdout)
    if state is None:
        raise CommandError(pulumi_cli.explain("stack export", name, done.stderr))
    imports = []
    for operation in state["deployment"].get("pending_operations") or []:
        resource = operation["resource"]
        kind = resource["type"].rpartition(":")[2]
        if operation["type"] != "creating" or kind not in ("Namespace", "Secret"):
            continue
        obj = resource["inputs"]["metadata"]["name"]
        if target.kubectl.get(kind, obj):
            identity = obj if kind == "Namespace" else f"{target.settings.namespace}/{obj}"
            imports += [resource["urn"], identity]
    if imports:
        pairs = (f"--import-pending-creates={word}" for word in imports)
        # Without --skip-pending-creates it asks about each of the others, even with --yes.
        pulumi_cli.run(name, "refresh", "--yes", "--skip-preview", "--skip-pending-creates", *pairs)
