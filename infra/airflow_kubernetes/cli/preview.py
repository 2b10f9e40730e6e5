"""`make preview`: what `make up` would change, or with BASE what a branch changes."""

import argparse

from ..errors import CommandError
from ..kubectl import apply, foundation
from ..kubectl.diff import diff, differences
from ..kubectl.foundation import engine_of
from ..kubernetes.manifest import is_protected
from ..render import objects, registered
from ..secrets import generated
from . import pulumi_cli
from .target import Target, add_set, engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """An environment and its overrides, or the options of a report."""
    parser.add_argument(
        "environment", metavar="ENVIRONMENT", nargs="?", help="with --base: by default all"
    )
    add_set(parser)
    parser.add_argument(
        "--base",
        metavar="COMMIT",
        help="report what this checkout changes since COMMIT (a branch or a tag too), without a "
        "cluster",
    )
    parser.add_argument("--report", metavar="FOLDER", help="also write the report to FOLDER")
    parser.add_argument(
        "--live", action="store_true", help="the report includes clusters and stacks as they are"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print the preview or the report. Raises CommandError for options that exclude each other."""
    if arguments.base:
        if arguments.set:
            raise CommandError("SET is for one command; a report compares what is in files")
        # Imported here: the report takes a tenth of a second that only it needs.
        from .report import report

        only = [arguments.environment] if arguments.environment else []
        report(arguments.base, only, arguments.report or "", live=arguments.live)
        return
    if arguments.report or arguments.live:
        raise CommandError("REPORT and LIVE are of a report: name its BASE, as in BASE=origin/main")
    if not arguments.environment:
        raise CommandError("name an environment, or the base of a report: make preview BASE=main")
    preview(Target.load(arguments.environment, arguments.set, read_only=True))


def preview(target: Target) -> None:
    """Print what `up` would change; changes nothing, in the cluster or elsewhere.

    It is `pulumi preview --diff`; or kubectl's diff, and what would be pruned. Raises CommandError.
    """
    target.kubectl.reach()
    if engine(target) == "kubectl":
        _with_kubectl(target)
    elif target.environment in pulumi_cli.stacks(target.environment):
        pulumi_cli.run(target.environment, "preview", "--diff", overrides=target.overrides)
    else:
        _without_stack(target)


def _without_stack(target: Target) -> None:
    """The program's resources: `pulumi preview` would create the stack first."""
    name = target.environment
    if engine_of(target.kubectl):
        raise CommandError(
            f"namespace {target.settings.namespace} was deployed by Pulumi, but "
            + pulumi_cli.REMEDIES["no stack named"].format(environment=name)
        )
    resources = sorted((item.type, item.name) for item in registered(name, target.settings))
    print(f"The stack {name} does not exist yet. make up ENV={name} would create it, with:")
    for kind, resource in resources:
        print(f"  {kind} {resource}")
    print(f"{len(resources)} resources; make render ENV={name} prints the Kubernetes objects")


def _with_kubectl(target: Target) -> None:
    if not target.kubectl.get("namespace", target.settings.namespace):
        print(f"would create namespace {target.settings.namespace} and everything in it")
        return
    new = foundation.check(target.kubectl, generated(target.settings))
    rendered = objects(target.environment, target.overrides)
    unprotected = [obj for obj in rendered if not is_protected(obj)]
    claims = [obj for obj in rendered if obj["kind"] in ("Namespace", "PersistentVolumeClaim")]
    changed = [f"Secret {secret.name} (generated)" for secret in new]
    changed += differences(target.kubectl, claims) + apply.changes(target.kubectl, unprotected)
    if not changed:
        print("nothing would change")
        return
    print("\n".join(["would change:", *(f"  {change}" for change in changed)]))
    print(diff(target.kubectl, [*claims, *apply.as_applied(target.kubectl, unprotected)]), end="")
