"""A preview against the real state: the JSON of `pulumi preview`, as the offline report's facts.

Read with `--refresh --show-sames`: the first step of a resource then has what the stack's state
says, and the second what the cluster says and what the program wants. Without `--show-sames` the
CLI keeps to itself what was changed behind its back and would stay so.

Source of the form: pkg/display/json.go of Pulumi.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..comparison.changes import Change, Operation, compare
from ..comparison.leaves import Difference, Path, differences
from ..kubernetes.manifest import Manifest

SECRET = "[secret]"
UNKNOWN = "[known after up]"
UNKNOWN_VALUES = (
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # a string
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # a boolean
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # an array
    "030794c1-ac77-496b-92df-f27374a8bd58",  # an asset
    "e48ece36-62e2-4504-bad9-02848725956a",  # an archive
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # an object
)
"""What stands in a preview for a value that only `up` makes (sdk/go/common/resource/plugin)."""

DATA = ("data", "stringData")
OTHERS = (
    ("spec", "volumeName"),  # by the volume controller
    ("spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"),
)
"""Fields that others write as they should: no drift."""


@dataclass(frozen=True)
class ResourceChange:
    """What happens to a resource that is no Kubernetes object: an image, a generated password."""

    operation: Operation
    type: str
    name: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Live:
    """What `up` would do now, and what was done behind its back.

    `drift` are changes of the cluster since the last `up`, from the stack's state to what is there:
    an UPDATE, or a DELETE of an object that is gone. `up` takes back what the program sets (then it
    is among `changes` too) and leaves what somebody added.
    `unready` are objects, by kind and name, for which `up` will wait again, with nothing to change.
    With a `problem` nothing else may be trusted to be all: nothing was found out, or only a part.
    """

    changes: tuple[Change, ...] = ()
    drift: tuple[Change, ...] = ()
    images: tuple[ResourceChange, ...] = ()
    others: tuple[ResourceChange, ...] = ()
    unready: tuple[str, ...] = ()
    problem: str | None = None


def fold(preview: Mapping[str, Any]) -> Live:
    """The facts in the JSON of `pulumi preview --json --refresh --show-sames`."""
    recorded = {step["urn"]: step for step in preview.get("steps", []) if step["op"] == "refresh"}
    planned = {step["urn"]: step for step in preview.get("steps", []) if step["op"] != "refresh"}
    problem = _problem(preview)
    changes: list[Change] = []
    drift: list[Change] = []
    resources: list[ResourceChange] = []
    for urn in sorted(recorded.keys() | planned.keys()):
        step, before = planned.get(urn), recorded.get(urn)
        if not _type(urn).startswith("kubernetes:"):
            if step is not None and not _type(urn).startswith("pulumi:"):
                resources += list(_resource(step))
            continue
        if step is not None:
            changes += list(_change(step))
        # Where the preview stopped early, a missing step tells nothing.
        if before is not None and (step is not None or problem is None):
            drift += list(_drift(before, step))
    return Live(
        tuple(sorted(filter(_is_change, changes), key=_place)),
        tuple(sorted(drift, key=_place)),
        tuple(one for one in resources if one.type.startswith("docker-build:")),
        tuple(one for one in resources if not one.type.startswith("docker-build:")),
        tuple(
            f"{one.kind} {one.name}" for one in sorted(changes, key=_place) if not _is_change(one)
        ),
        problem,
    )


def _place(change: Change) -> tuple[str, str]:
    return change.kind, change.name


def _is_change(change: Change) -> bool:
    """Not so where Pulumi plans an update of an object that is as it should be, but not ready."""
    return change.operation is not Operation.UPDATE or bool(change.differences)


def _problem(preview: Mapping[str, Any]) -> str | None:
    """The errors, each with the resource that it is about; None if there are none.

    The one of the Python host, which is interrupted by the others, tells nothing.
    """
    errors = [
        f"{one['urn'].rpartition('::')[2]}: {_text(one)}" if one.get("urn") else _text(one)
        for one in preview.get("diagnostics", [])
        if one["severity"] == "error"
    ]
    telling = [error for error in errors if error != "preview failed"] or errors
    if not telling:
        return None
    return "Pulumi's preview ended early, so there may be more than it shows:\n" + "\n".join(
        telling
    )


def _text(diagnostic: Mapping[str, Any]) -> str:
    words = " ".join(str(diagnostic["message"]).split())
    return words.removeprefix("error: ")


def _type(urn: str) -> str:
    """`urn:pulumi:<stack>::<project>::<parents' types$type>::<name>`."""
    return urn.split("::")[2].rpartition("$")[2]


def _change(step: Mapping[str, Any]) -> Iterator[Change]:
    operation = _operation(step)
    if operation is None:
        return
    before, after = _inputs(step.get("oldState")), _inputs(step.get("newState"))
    if operation is Operation.CREATE:
        before = None
    if operation is Operation.DELETE:
        after = None
    told = tuple(
        Difference(path, SECRET, SECRET)
        for path in map(_path, sorted(step.get("detailedDiff") or {}))
        if path[0] in DATA and (after or before or {}).get("kind") == "Secret"
    )
    for change in compare([before] if before else [], [after] if after else []):
        kept = change.replacing if operation is Operation.REPLACE else ()
        found = (*change.differences, *told) if before and after else change.differences
        yield replace(change, operation=operation, differences=found, replacing=kept)
        return
    # A Job that failed is replaced without any difference of what is wanted.
    why = tuple(map(_path, step.get("replaceReasons") or []))
    yield Change(operation, before, after, told, why)


def _drift(recorded: Mapping[str, Any], step: Mapping[str, Any] | None) -> Iterator[Change]:
    inputs: Manifest = recorded["oldState"]["inputs"]
    before = _comparable(recorded["oldState"]["outputs"], inputs)
    if step is None or step["op"] == "create":
        yield Change(
            Operation.DELETE,
            before,
            None,
            tuple(one for one in differences(before, {}) if one.path),
        )
        return
    after = _comparable(step["oldState"]["outputs"], inputs)
    found = tuple(one for one in differences(before, after) if one.path not in OTHERS)
    if found:
        yield Change(Operation.UPDATE, before, after, found)


def _comparable(outputs: Manifest, inputs: Manifest) -> Manifest:
    """An object as the cluster has it, without what controllers and the server write.

    A Secret's values are left out: they are masked, and may be changed by hand.
    """
    secret = DATA if inputs["kind"] == "Secret" else ()
    left_out = {"status", "secrets", *secret}
    kept = {
        key: value
        for key, value in outputs.items()
        if not key.startswith("__") and key not in left_out
    }
    metadata, wanted = outputs["metadata"], inputs["metadata"]
    kept["metadata"] = {
        key: metadata[key] for key in ("name", "namespace", "labels") if key in metadata
    } | {
        "annotations": {
            key: value
            for key, value in metadata.get("annotations", {}).items()
            if key in wanted.get("annotations", {})
        }
    }
    if "replicas" not in inputs.get("spec", {}) and "spec" in kept:  # an autoscaler's
        kept["spec"] = {key: value for key, value in kept["spec"].items() if key != "replicas"}
    return kept


def _resource(step: Mapping[str, Any]) -> Iterator[ResourceChange]:
    operation = _operation(step)
    if operation is not None:
        found = differences(
            _plain_inputs(step.get("oldState")), _plain_inputs(step.get("newState"))
        )
        name = step["urn"].rpartition("::")[2]
        shown = tuple(one for one in found if one.path)
        yield ResourceChange(operation, _type(step["urn"]), name, shown)


def _operation(step: Mapping[str, Any]) -> Operation | None:
    """None for what stays, and for the two halves of a replacement, which is a step of its own."""
    return Operation(step["op"]) if step["op"] in tuple(Operation) else None


def _inputs(state: Mapping[str, Any] | None) -> Manifest | None:
    """An object as the program gives it; a Secret's values, which have two spellings, as one."""
    if state is None:
        return None
    inputs: Manifest = _plain_inputs(state)
    if inputs.get("kind") != "Secret":
        return inputs
    shown = {key: value for key, value in inputs.items() if key not in DATA}
    return {**shown, "stringData": SECRET} if len(shown) < len(inputs) else shown


def _plain_inputs(state: Mapping[str, Any] | None) -> dict[str, Any]:
    found: dict[str, Any] = _known((state or {}).get("inputs", {}))
    return {key: value for key, value in found.items() if not key.startswith("__")}


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_known(item) for item in value]
    return UNKNOWN if isinstance(value, str) and value in UNKNOWN_VALUES else value


def _path(text: str) -> Path:
    """A path as Pulumi writes it: `spec.containers[0].image`, `metadata.labels["a.b"]`."""
    parts, rest = [], text.lstrip(".")
    while rest:
        if rest.startswith('["'):
            part, _, rest = rest[2:].partition('"]')
        elif rest.startswith("["):
            part, _, rest = rest.partition("]")
            part += "]"
        else:
            ends = [at for at in (rest.find("."), rest.find("[")) if at >= 0] or [len(rest)]
            part, rest = rest[: min(ends)], rest[min(ends) :]
        parts.append(part)
        rest = rest.removeprefix(".")
    return tuple(parts)
