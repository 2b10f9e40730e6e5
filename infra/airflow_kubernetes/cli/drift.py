"""A preview against the real state (`make preview LIVE=1`), and `make drift`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..comparison.leaves import MISSING, Difference, dotted
from ..environment import SET, load
from ..errors import CommandError
from ..images.specs import ROOT
from ..kubectl import apply
from ..kubectl.client import KubectlError
from ..kubectl.diff import differences
from ..kubernetes.manifest import is_protected
from ..render import PROJECT, objects
from ..report.pulumi_preview import Live, fold
from ..settings.problems import SettingsError
from . import pulumi_cli
from .target import Target, engine

DRIFTED = 2
"""Exit status of `make drift` where something differs; 1 is an error, as everywhere."""


def live(environment: str, overrides: str) -> Live:
    """What `pulumi up` would do now to the environment, and what drifted.

    Whatever prevents the answer is the `problem` of an otherwise empty Live: a preview of a cluster
    that does not answer succeeds without having looked at anything.
    """
    try:
        here = Target(environment, overrides, load(environment, overrides))
        here.kubectl.reach()
        if engine(here) == "kubectl":
            return Live(
                problem=f"the engine of {environment} is kubectl, which has no stack to preview: "
                f"make drift ENV={environment} compares the cluster with the program"
            )
        return _preview(here)
    except (CommandError, KubectlError, SettingsError) as error:
        return Live(problem=str(error))


def drift(here: Target) -> None:
    """Print how the cluster differs from the program; exits with DRIFTED if it does.

    Raises CommandError or KubectlError where that cannot be told.
    """
    here.kubectl.reach()
    found = _kubectl_drift(here) if engine(here) == "kubectl" else _pulumi_drift(here)
    if not found:
        print(f"{here.environment}: no drift")
        return
    print("\n".join([f"{here.environment}: the cluster differs from the program:", *found]))
    sys.exit(DRIFTED)


def _kubectl_drift(here: Target) -> list[str]:
    """What applying would change. What somebody added beside the program's fields is not seen."""
    rendered = objects(here.environment, here.overrides)
    # Values of Secrets are generated, and not the program's to compare.
    claims = [obj for obj in rendered if is_protected(obj) and obj["kind"] != "Secret"]
    others = [obj for obj in rendered if not is_protected(obj)]
    if not here.kubectl.get("namespace", here.settings.namespace):
        return [f"  namespace {here.settings.namespace} is not there"]
    changed = [*differences(here.kubectl, claims), *apply.changes(here.kubectl, others)]
    return [f"  {one}" for one in changed]


def _pulumi_drift(here: Target) -> list[str]:
    found = _preview(here)
    if found.problem is not None:
        raise CommandError(found.problem)
    lines = []
    for change in found.drift:
        gone = change.after is None
        lines.append(f"  {change.kind} {change.name}: {'is gone' if gone else 'was changed'}")
        lines += [] if gone else [f"    {_told(one)}" for one in change.differences]
    for change in found.changes:
        lines.append(f"  {change.kind} {change.name}: up would {change.operation} it")
    for resource in (*found.images, *found.others):
        lines.append(f"  {resource.type} {resource.name}: up would {resource.operation} it")
    return lines


def _told(one: Difference) -> str:
    old, new = (
        "nothing" if value is MISSING else json.dumps(value) for value in (one.old, one.new)
    )
    return f"{dotted(one.path)}: {old} -> {new}"


def _preview(here: Target) -> Live:
    """Raises CommandError where the CLI cannot begin: no CLI, stack, state or passphrase."""
    if pulumi_cli.find() is None:
        raise CommandError(
            "the Pulumi CLI is not on PATH, and only it knows the stack's state; install it "
            "(https://www.pulumi.com/docs/install/)"
        )
    if _locked(here.environment):
        raise CommandError(
            f"an update of the stack {here.environment} is under way, so what is there is changing:"
            " try again when it has ended, or pulumi cancel if it was killed"
        )
    # Otherwise what drifted and would stay so is not shown.
    command = ("preview", "--json", "--refresh", "--show-sames", "--non-interactive")
    done = _call(*command, "--stack", here.environment, overrides=here.overrides)
    found = _json(done.stdout)
    if not isinstance(found, dict) or not (found.get("steps") or found.get("diagnostics")):
        raise CommandError(_why(here.environment, done.stderr))
    result = fold(found)
    if done.returncode and result.problem is None:
        raise CommandError(_why(here.environment, done.stderr))
    return result


def _locked(environment: str) -> bool:
    """Whether an update is under way, where that can be known: previews do not look.

    Pulumi's service tells; the lock of a folder is a file in it; those in a bucket are not seen.
    """
    backend = _json(_call("whoami", "--json").stdout)
    url = str(backend["url"]) if isinstance(backend, dict) and backend.get("url") else ""
    if url.startswith("file://"):
        folder = Path(urlsplit(url).path, ".pulumi", "locks", "organization", PROJECT, environment)
        return any(folder.glob("*.json"))
    stacks = _json(_call("stack", "ls", "--json").stdout)
    return isinstance(stacks, list) and any(
        one["name"] == environment and one.get("updateInProgress") for one in stacks
    )


def _call(*args: str, overrides: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(pulumi_cli.find()), "--cwd", str(ROOT), *args],
        env={**os.environ, SET: overrides},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _json(text: str) -> Any:
    """The CLI's JSON; None where it wrote none."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _why(environment: str, stderr: str) -> str:
    """The CLI's reason, and what to do about the usual ones."""
    words = " ".join(stderr.split()).removeprefix("error: ")
    for sign, remedy in REMEDIES.items():
        if sign in words:
            return f"{remedy.format(environment=environment)} (pulumi: {words})"
    return f"pulumi preview of {environment} failed: {words or 'it said nothing'}"


REMEDIES = {
    "no stack named": "the backend has no stack {environment}: choose the backend that has it "
    "(pulumi login, or PULUMI_BACKEND_URL), or make up ENV={environment} for the first time",
    "incorrect passphrase": "the passphrase is wrong: set PULUMI_CONFIG_PASSPHRASE to that of the "
    "stack {environment}",
    "passphrase must be set": "set PULUMI_CONFIG_PASSPHRASE (or PULUMI_CONFIG_PASSPHRASE_FILE) to "
    "the passphrase of the stack {environment}",
    "PULUMI_ACCESS_TOKEN must be set": "log in to the backend first (pulumi login)",
}
"""What to do, by what the CLI says."""
