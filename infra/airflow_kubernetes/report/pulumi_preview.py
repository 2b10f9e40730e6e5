"""The changes and the drift in the JSON of `pulumi preview --json --refresh --show-sames`.

With these options the first step of a resource has what the stack's state says, and the second
what the cluster says and what the program wants. Without `--show-sames` the CLI omits drift that
the update would not correct. Source of the form: pkg/display/json.go of Pulumi.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..comparison.changes import Change, Operation, compare
from ..comparison.leaves import Difference, Path, differences
from ..kubernetes.manifest import Manifest
from .redaction import DATA, SECRET

UNKNOWN = "[known after up]"
PLACEHOLDER = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What stands in a preview for a value that only `up` makes (pkg/resource/stack/deployment.go)."""

INTERNAL = ("pulumi:", "airflow-kubernetes:")
"""Types of what exists only in the engine: the stack, providers, the program's components."""

CONTROLLED = (
    ("spec", "volumeName"),
    ("spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"),
)
"""Fields that controllers and `kubectl rollout restart` write: no drift."""


@dataclass(frozen=True)
class Preview:
    """What `up` would do now, and what was changed without the program.

    `drift` are changes of the cluster since the last `up`: an UPDATE, or a DELETE of an object that
    is gone. `up` corrects what the program sets (then it is among `changes` too) and leaves what
    somebody added. `others` are a line for each resource that changes and is no Kubernetes object:
    an image, a generated password. `unready` are objects, by kind and name, that `up` will wait for
    again, with nothing to change. With a `problem` the rest may be incomplete.
    """

    changes: tuple[Change, ...] = ()
    drift: tuple[Change, ...] = ()
    others: tuple[str, ...] = ()
    unready: tuple[str, ...] = ()
    problem: str | None = None


def parse(preview: Mapping[str, Any]) -> Preview:
    """Read the CLI's JSON."""
    steps = json.loads(json.dumps(preview.get("steps", [])).replace(PLACEHOLDER, UNKNOWN))
    recorded = {step["urn"]: step for step in steps if step["op"] == "refresh"}
    planned = {step["urn"]: step for step in steps if step["op"] != "refresh"}
    problem = _problem(preview)
    changes: list[Change] = []
    drift: list[Change] = []
    others: list[str] = []
    for urn in sorted(recorded.keys() | planned.keys()):
        step, before = planned.get(urn), recorded.get(urn)
        # `same` is no operation, nor is either half of a replacement, which has its own step.
        operation = Operation(step["op"]) if step and step["op"] in tuple(Operation) else None
        # urn:pulumi:<stack>::<project>::<parents' types$type>::<name>
        type_, name = urn.split("::")[2].rpartition("$")[2], urn.rpartition("::")[2]
        if type_.startswith("kubernetes:"):
            changes += [_change(step, operation)] if step and operation else []
            # Where the preview stopped early, a missing step means nothing.
            if before and (step or problem is None):
                drift += _drift(before, step)
        elif operation and not type_.startswith(INTERNAL):
            others.append(f"{type_} {name}: up would {operation} it")
    for found in (changes, drift):
        found.sort(key=lambda change: (change.kind, change.name))
    # Pulumi plans an update without differences for an object that is not ready.
    unready = [
        change
        for change in changes
        if change.operation is Operation.UPDATE and not change.differences
    ]
    return Preview(
        tuple(change for change in changes if change not in unready),
        tuple(drift),
        tuple(others),
        tuple(f"{change.kind} {change.name}" for change in unready),
        problem,
    )


def _problem(preview: Mapping[str, Any]) -> str | None:
    """The errors, each with its resource. The Python host, interrupted by others, adds nothing."""
    errors = []
    for diagnostic in preview.get("diagnostics", []):
        if diagnostic["severity"] == "error":
            message = " ".join(str(diagnostic["message"]).split()).removeprefix("error: ")
            resource = diagnostic.get("urn", "").rpartition("::")[2]
            errors.append(f"{resource}: {message}" if resource else message)
    errors = [error for error in errors if error != "preview failed"] or errors
    head = "Pulumi's preview ended early, so there may be more than it shows:"
    return "\n".join([head, *errors]) if errors else None


def _change(step: Mapping[str, Any], operation: Operation) -> Change:
    before = None if operation is Operation.CREATE else _inputs(step.get("oldState"))
    after = None if operation is Operation.DELETE else _inputs(step.get("newState"))
    # A failed Job is replaced although the program wants the same.
    reasons = tuple(map(_path, step.get("replaceReasons") or ()))
    same = Change(operation, before, after, (), reasons)
    change = next(iter(compare(filter(None, [before]), filter(None, [after]))), same)
    masked = [
        Difference(path, SECRET, SECRET)
        for path in map(_path, step.get("detailedDiff") or ())
        if path[0] in DATA and change.kind == "Secret" and before and after
    ]
    found = sorted([*change.differences, *masked], key=lambda each: each.path)
    replacing = change.replacing if operation is Operation.REPLACE else ()
    return replace(change, operation=operation, differences=tuple(found), replacing=replacing)


def _drift(recorded: Mapping[str, Any], step: Mapping[str, Any] | None) -> Iterator[Change]:
    inputs: Manifest = recorded["oldState"]["inputs"]
    before, after = _comparable(recorded["oldState"]["outputs"], inputs), None
    if step and step["op"] != "create":
        after = _comparable(step["oldState"]["outputs"], inputs)
    found = tuple(each for each in differences(before, after or {}) if each.path not in CONTROLLED)
    if found:
        yield Change(Operation.UPDATE if after else Operation.DELETE, before, after, found)


def _comparable(outputs: Manifest, inputs: Manifest) -> Manifest:
    """An object as the cluster has it, without what controllers and the server write.

    Without a Secret's values too: they are masked, and may be changed manually.
    """
    omitted = {"status", "secrets", *(DATA if inputs["kind"] == "Secret" else ())}
    result = {
        key: value
        for key, value in outputs.items()
        if not key.startswith("__") and key not in omitted
    }
    metadata, own = outputs["metadata"], inputs["metadata"].get("annotations", {})
    annotations = metadata.get("annotations", {})
    result["metadata"] = {
        **{key: metadata[key] for key in ("name", "namespace", "labels") if key in metadata},
        "annotations": {key: value for key, value in annotations.items() if key in own},
    }
    if "replicas" not in inputs.get("spec", {}) and "spec" in result:  # an autoscaler's
        result["spec"] = {key: value for key, value in result["spec"].items() if key != "replicas"}
    return result


def _inputs(state: Mapping[str, Any] | None) -> Manifest | None:
    """An object as the program gives it; a Secret's values, which have two forms, as SECRET."""
    if state is None:
        return None
    inputs = {key: value for key, value in state["inputs"].items() if key[:2] != "__"}
    if inputs.get("kind") == "Secret" and inputs.keys() & {*DATA}:
        return {key: value for key, value in inputs.items() if key not in DATA} | {
            "stringData": SECRET
        }
    return inputs


def _path(text: str) -> Path:
    """A path as Pulumi writes it: `spec.containers[0].image`, `metadata.labels["a.b"]`."""
    parts = re.findall(r'\["(.*?)"\]|(\[\d+\])|([^.\[]+)', text)
    return tuple(key or item or name for key, item, name in parts)
