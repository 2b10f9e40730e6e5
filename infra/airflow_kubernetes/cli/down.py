"""`make down`: remove what runs, keep data and passwords."""

import sys

from ..console import pasteable
from ..errors import CommandError
from ..kubectl.apply import ALL, ALL_OF_KEDA
from ..kubernetes.manifest import PART_OF, PROTECTED
from ..settings.marks import SANDBOX
from . import pulumi_cli
from .target import Target, engine
from .up import delete_launched_pods


def down(target: Target, *, yes: bool = False) -> None:
    """Ask, unless `yes`; delete all that is not protected, and print what remains.

    Raises CommandError.
    """
    chosen = engine(target)
    if not yes and target.environment != SANDBOX:
        _confirm(target, chosen)
    if chosen == "pulumi":
        pulumi_cli.run(target.environment, "destroy", "--exclude-protected", "--yes")
    else:
        if target.kubectl.get_if_allowed(*ALL_OF_KEDA):
            print(target.kubectl.run("delete", *ALL_OF_KEDA), end="")
        for place in target.kubectl.namespaces:
            print(place.run("delete", *ALL), end="")
    # The scheduler creates task pods, and tasks launch others, so no engine knows them.
    target.kubectl.run("delete", "pods", f"--selector=app.kubernetes.io/part-of={PART_OF}")
    delete_launched_pods(target)
    _print_protected(target, chosen)


def _confirm(target: Target, chosen: str) -> None:
    """Let the user type the environment's name. Raises CommandError if that does not happen."""
    name = target.environment
    if not sys.stdin.isatty():
        raise CommandError(
            f"make down ENV={name} stops Airflow and deletes its objects, and there is no terminal "
            "to confirm that on: add YES=1"
        )
    question = (
        f"This stops Airflow and deletes all objects of {name} but its data and passwords: "
        f"namespace {target.settings.namespace}, context {target.kubectl.context}, engine "
        f"{chosen}.\nType {name} to continue: "
    )
    try:
        answer = input(question)
    except EOFError:
        answer = ""
    if answer.strip() != name:
        raise CommandError("nothing was deleted")


def _print_protected(target: Target, chosen: str) -> None:
    protected = target.kubectl.get("secrets,persistentvolumeclaims", f"--selector={PROTECTED}=true")
    if not protected:
        print("nothing is left")
        return
    print("kept, and used again by the next make up:")
    places = [place.namespace for place in target.kubectl.namespaces]
    for place in places:
        print(f"  Namespace {place}")
    for obj in protected:
        print(f"  {obj['kind']} {obj['metadata']['name']}")
    stack = f"--stack {target.environment}"
    delete = f"kubectl --context {target.kubectl.context} delete namespace"
    commands = {
        "kubectl": f"{delete} {' '.join(places)}",
        # Pulumi leaves the namespace of launched pods, which may have Secrets of yours.
        "pulumi": " && ".join(
            [
                f"pulumi state unprotect --all --yes {stack}",
                f"pulumi destroy {stack}",
                *(f"{delete} {place}" for place in places[1:]),
            ]
        ),
    }
    print(f"to delete the data and its passwords for good: {pasteable(commands[chosen])}")
    print("  (volumes whose reclaim policy is Retain stay even then: kubectl get pv)")
