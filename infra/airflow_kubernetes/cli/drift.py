"""`make drift`, and how an environment really is for `make preview LIVE=1`."""

import json
import sys

from ..comparison.changes import Change
from ..comparison.leaves import MISSING, Difference, dotted
from ..console import pasteable
from ..environment import load
from ..errors import CommandError
from ..kubectl import apply
from ..kubectl.client import KubectlError
from ..render import objects
from ..report.pulumi_preview import Preview, parse
from ..report.redaction import hidden
from ..settings.problems import SettingsError
from . import autoscalers, pulumi_cli
from .target import Target, engine

DRIFTED = 2
"""Exit code of `make drift` where something differs; 1 is an error, as everywhere."""


def live(environment: str, overrides: str) -> Preview:
    """What `pulumi up` would change now in the environment, and what has drifted.

    An answer that is impossible is the `problem` of an otherwise empty Preview: Pulumi's preview
    of a cluster that does not answer succeeds without having looked at anything.
    """
    try:
        target = Target(environment, overrides, load(environment, overrides))
        if engine(target) == "kubectl":
            return Preview(
                problem=f"the engine of {environment} is kubectl, which has no stack to preview: "
                f"make drift ENV={environment} compares the cluster with the program"
            )
        return _preview(target)
    except (CommandError, KubectlError, SettingsError) as error:
        return Preview(problem=str(error))


def drift(target: Target) -> None:
    """Print how the cluster differs from the program; exits with DRIFTED if it does.

    Raises CommandError or KubectlError if they cannot be compared.
    """
    autoscalers.require_keda(target)
    lines = _kubectl_drift(target) if engine(target) == "kubectl" else _pulumi_drift(target)
    if not lines:
        print(f"{target.environment}: no drift")
        return
    print("\n".join([f"{target.environment}: the cluster differs from the program:", *lines]))
    sys.exit(DRIFTED)


def _kubectl_drift(target: Target) -> list[str]:
    """What applying would change. Fields that somebody added to the program's are not seen."""
    if not target.kubectl.get("namespace", target.settings.namespace):
        return [f"  namespace {target.settings.namespace} does not exist"]
    changes = apply.changes(target.kubectl, objects(target.environment, target.overrides))
    return [f"  {change}" for change in changes]


def _pulumi_drift(target: Target) -> list[str]:
    found = _preview(target)
    if found.problem is not None:
        raise CommandError(found.problem)
    lines = []
    for change in found.drift:
        gone = change.after is None
        lines.append(f"  {change.kind} {change.name}: {'is gone' if gone else 'was changed'}")
        lines += [] if gone else [f"    {_line(change, field)}" for field in change.differences]
    for change in found.changes:
        lines.append(f"  {change.kind} {change.name}: up would {change.operation} it")
    return [*lines, *(f"  {line}" for line in found.others)]


def _line(change: Change, field: Difference) -> str:
    """A field with both values, without secrets: somebody may have set a variable to one."""
    shown = (hidden(change.kind, field.path, value) for value in (field.old, field.new))
    old, new = ("nothing" if value is MISSING else json.dumps(value) for value in shown)
    return f"{dotted(field.path)}: {old} -> {new}"


def _preview(target: Target) -> Preview:
    """Raises CommandError where the CLI cannot begin: no CLI, stack, state or passphrase."""
    name = target.environment
    if pulumi_cli.locked(name):
        raise CommandError(
            f"an update of the stack {name} is in progress, so its state is changing: try again "
            f"when it has ended, or {pasteable(f'pulumi cancel --stack {name}')} if it was killed"
        )
    # Without --show-sames, drift that the update would not correct is not shown.
    command = ("preview", "--json", "--refresh", "--show-sames", "--non-interactive")
    done = pulumi_cli.call(*command, "--stack", name, overrides=target.overrides)
    found = pulumi_cli.parse(done.stdout)
    if isinstance(found, dict) and (found.get("steps") or found.get("diagnostics")):
        result = parse(found)
        if result.problem is not None or not done.returncode:
            return result
    raise CommandError(pulumi_cli.explain("preview", name, done.stderr))
