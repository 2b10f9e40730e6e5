"""`make down`: remove what runs, keep what cannot be made again."""

import subprocess

from ..images.specs import ROOT
from ..kubernetes.metadata import PART_OF, PROTECTED
from ..render.apply import SET
from .target import CommandError, Target, engine

KINDS = (
    "deployments,statefulsets,jobs,pods,services,configmaps,"
    "serviceaccounts,roles,rolebindings"
)  # fmt: skip


def down(here: Target) -> None:
    """Delete all that is not protected and say what was kept. Raises CommandError."""
    here.kubectl.reach()
    if engine(here) == "pulumi":
        command = ["destroy", "--exclude-protected", "--stack", here.environment, "--yes"]
        if subprocess.run(["pulumi", "--cwd", str(ROOT), *command], check=False).returncode:
            raise CommandError("pulumi destroy failed; its output is above")
    else:
        selector = f"app.kubernetes.io/part-of={PART_OF},{PROTECTED}!=true"
        print(here.kubectl.run("delete", KINDS, f"--selector={selector}"), end="")
        here.kubectl.run("delete", "configmap", SET, "--ignore-not-found")
    _print_kept(here)


def _print_kept(here: Target) -> None:
    kept = here.kubectl.get("secrets,persistentvolumeclaims", f"--selector={PROTECTED}=true")
    if not kept:
        print("nothing is left")
        return
    namespace = here.settings.namespace
    print("kept, and found again by the next `make up`:")
    print(f"  Namespace {namespace}")
    for obj in kept:
        print(f"  {obj['kind']} {obj['metadata']['name']}")
    print(
        "to delete the data and its passwords for good: "
        f"kubectl --context {here.kubectl.context} delete namespace {namespace}"
    )
    if engine(here) == "pulumi":
        print(
            "  after: pulumi state unprotect --all --yes && pulumi destroy "
            f"(stack {here.environment})"
        )
