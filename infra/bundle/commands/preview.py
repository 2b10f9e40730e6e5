"""`make preview`: what `make up` would change, changing nothing."""

import os
import subprocess

from ..images.specs import ROOT
from ..kubernetes.metadata import is_protected
from ..render import apply
from ..render.program import objects
from .target import CommandError, Target, engine


def preview(here: Target) -> None:
    """`pulumi preview --diff`, or kubectl's diff and what would be pruned."""
    here.kubectl.reach()
    if engine(here) == "pulumi":
        command = ["pulumi", "--cwd", str(ROOT), "preview", "--diff", "--stack", here.environment]
        environment = {**os.environ, "SET": here.overrides}
        if subprocess.run(command, check=False, env=environment).returncode:
            raise CommandError("pulumi preview failed; its output is above")
        return
    rendered = [obj for obj in objects(here.environment, here.overrides) if not is_protected(obj)]
    changed = apply.changes(here.kubectl, rendered)
    if not changed:
        print("nothing would change")
        return
    print("\n".join(["would change:", *(f"  {change}" for change in changed)]))
    if here.kubectl.get("namespace", here.settings.namespace):
        print(apply.diff(here.kubectl, rendered), end="")
