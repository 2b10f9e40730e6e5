"""`make preview`: what `make up` would change, changing nothing."""

from ..kubectl import apply, foundation
from ..kubectl.diff import diff, differences
from ..kubernetes.manifest import is_protected
from ..render import objects
from ..secrets import generated
from . import pulumi_cli
from .target import Target, engine


def preview(here: Target) -> None:
    """`pulumi preview --diff`, or kubectl's diff and what would be pruned."""
    here.kubectl.reach()
    if engine(here) == "pulumi":
        pulumi_cli.create_stack(here.environment)
        pulumi_cli.run(here.environment, "preview", "--diff", overrides=here.overrides)
        return
    new = foundation.check(here.kubectl, generated(here.settings))
    rendered = objects(here.environment, here.overrides)
    others = [obj for obj in rendered if not is_protected(obj)]
    claims = [obj for obj in rendered if obj["kind"] in ("Namespace", "PersistentVolumeClaim")]
    if not here.kubectl.get("namespace", here.settings.namespace):
        print(f"would create namespace {here.settings.namespace} and everything in it")
        return
    changed = [f"Secret {one.name} (generated)" for one in new]
    changed += differences(here.kubectl, claims) + apply.changes(here.kubectl, others)
    if not changed:
        print("nothing would change")
        return
    print("\n".join(["would change:", *(f"  {change}" for change in changed)]))
    print(diff(here.kubectl, [*claims, *apply.as_applied(here.kubectl, others)]), end="")
