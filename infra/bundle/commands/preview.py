"""`make preview`: what `make up` would change, changing nothing."""

from ..kubernetes.metadata import is_protected
from ..render import apply
from ..render.program import objects
from . import pulumi
from .target import Target, engine


def preview(here: Target) -> None:
    """`pulumi preview --diff`, or kubectl's diff and what would be pruned."""
    here.kubectl.reach()
    if engine(here) == "pulumi":
        pulumi.create_stack(here.environment)
        pulumi.run(here.environment, "preview", "--diff", overrides=here.overrides)
        return
    rendered = [obj for obj in objects(here.environment, here.overrides) if not is_protected(obj)]
    changed = apply.changes(here.kubectl, rendered)
    if not changed:
        print("nothing would change")
        return
    print("\n".join(["would change:", *(f"  {change}" for change in changed)]))
    if here.kubectl.get("namespace", here.settings.namespace):
        print(apply.diff(here.kubectl, rendered), end="")
