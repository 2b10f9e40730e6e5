"""`make down`: remove what runs, keep what cannot be made again."""

from ..kubectl.apply import SET
from ..kubernetes.manifest import PART_OF, PROTECTED
from ..render import ORDER
from . import pulumi_cli
from .target import Target, engine


def down(here: Target) -> None:
    """Delete all that is not protected and say what was kept. Raises CommandError."""
    here.kubectl.reach()
    chosen = engine(here)
    if chosen == "pulumi":
        pulumi_cli.run(here.environment, "destroy", "--exclude-protected", "--yes")
    else:
        selector = f"app.kubernetes.io/part-of={PART_OF},{PROTECTED}!=true"
        print(here.kubectl.run("delete", ",".join(ORDER[1:]), f"--selector={selector}"), end="")
        here.kubectl.run("delete", "configmap", SET, "--ignore-not-found")
    # Task pods belong to the scheduler, not to the program, and would outlive it.
    here.kubectl.run("delete", "pods", f"--selector=app.kubernetes.io/part-of={PART_OF}")
    _print_kept(here, chosen)


def _print_kept(here: Target, chosen: str) -> None:
    kept = here.kubectl.get("secrets,persistentvolumeclaims", f"--selector={PROTECTED}=true")
    if not kept:
        print("nothing is left")
        return
    print("kept, and found again by the next make up:")
    print(f"  Namespace {here.settings.namespace}")
    for obj in kept:
        print(f"  {obj['kind']} {obj['metadata']['name']}")
    stack = f"--stack {here.environment}"
    commands = {
        "kubectl": f"kubectl --context {here.kubectl.context} delete namespace "
        f"{here.settings.namespace}",
        "pulumi": f"pulumi state unprotect --all --yes {stack} && pulumi destroy {stack}",
    }
    print(f"to delete the data and its passwords for good: {commands[chosen]}")
    print("  (volumes whose reclaim policy is Retain stay even then: kubectl get pv)")
