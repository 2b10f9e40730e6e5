"""`make preview`: what `make up` would change, or with BASE what a branch changes."""

from collections import defaultdict

from ..errors import CommandError
from ..kubectl import apply, foundation
from ..kubectl.diff import diff
from ..render import objects, registered
from ..secrets import Generated, generated
from . import autoscalers, installed_database, pulumi_cli, shared_locations, stack
from .report import print_report
from .target import Target, engine


def preview_or_report(
    environment: str, overrides: str, base: str, report: str, *, live: bool
) -> None:
    """Print the preview or, with a `base`, the report.

    Raises CommandError for options that exclude each other.
    """
    if base:
        if overrides:
            raise CommandError("SET is for one command; a report compares what is in files")
        print_report(base, [environment] if environment else [], report, live=live)
    elif report or live:
        raise CommandError("REPORT and LIVE are of a report: name its BASE, as in BASE=origin/main")
    elif not environment:
        raise CommandError("name an environment, or the base of a report: make preview BASE=main")
    else:
        preview(Target.load(environment, overrides, read_only=True))


def preview(target: Target) -> None:
    """Print what `up` would change; changes nothing, in the cluster or elsewhere.

    It is `pulumi preview --diff --refresh`, as `up` refreshes too; or kubectl's diff, and what
    would be pruned. Raises CommandError, also where `up` refuses to begin again without data.
    """
    shared_locations.refuse(target)
    chosen = engine(target)
    autoscalers.require_keda(target)
    new = foundation.check(target.kubectl, generated(target.settings))
    foundation.check_existing(target.kubectl, target.settings)
    installed_database.check(target)
    if chosen == "kubectl":
        _with_kubectl(target, new)
    elif stack.exists(target):
        pulumi_cli.run(
            target.environment, "preview", "--diff", "--refresh", overrides=target.overrides
        )
    else:
        _without_stack(target)


def _without_stack(target: Target) -> None:
    """The program's resources by kind: `pulumi preview` would create the stack first."""
    name = target.environment
    resources = registered(name, target.settings)
    names = defaultdict[str, list[str]](list)
    for resource in resources:
        names[resource.type.rpartition(":")[2]].append(resource.name)
    print(f"The stack {name} does not exist yet. make up ENV={name} would create it, with:")
    for kind, found in sorted(names.items()):
        print(f"  {len(found):2} {kind}: {', '.join(sorted(found))}")
    print(f"{len(resources)} resources; make render ENV={name} prints the Kubernetes objects")


def _with_kubectl(target: Target, new: list[Generated]) -> None:
    """`new` are the Secrets that the cluster lacks."""
    if not target.kubectl.get("namespace", target.settings.namespace):
        print(f"would create namespace {target.settings.namespace} and everything in it")
        return
    foundation.check_namespaces(target.kubectl, target.settings)
    rendered = objects(target.environment, target.overrides)
    changed = [f"Secret {secret.name} (generated)" for secret in new]
    changed += apply.changes(target.kubectl, rendered)
    if not changed:
        print("nothing would change")
        return
    print("\n".join(["would change:", *(f"  {change}" for change in changed)]))
    print(diff(target.kubectl, apply.comparable(target.kubectl, rendered)), end="")
