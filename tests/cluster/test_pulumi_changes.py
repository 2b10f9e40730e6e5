"""What is predicted of each kind of change, against `pulumi preview --json` of a real stack."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bundle.comparison.changes import Change, Operation, compare
from bundle.images import lock
from bundle.kubernetes.metadata import logical_name
from bundle.settings.load import load

from .conftest import in_namespace
from .kinds_of_change import KINDS, Kind, values
from .pulumi_stack import Stack
from .test_changes import rendered
from .volumes import bound_volumes

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="the Pulumi CLI is not on PATH"),
]

OPERATIONS = ("create", "update", "replace", "delete")


@pytest.fixture(scope="module")
def stack(sandbox: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that is up: an Airflow with every component."""
    place = in_namespace("airflow-previews", 30094)
    place.remove()
    folder = tmp_path_factory.mktemp("stack")
    # `up` runs the sandbox's images, which `make up` has built; the lock of that moment stays.
    known = lock.path(load("sandbox"))
    (folder / "cache" / known.parent.name).mkdir(parents=True)
    shutil.copy(known, folder / "cache" / known.parent.name)
    with bound_volumes(place, folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        overrides = place.overrides.replace("engine=kubectl", "engine=pulumi")
        stack = Stack(folder, values(overrides, Kind("before"), place.namespace))
        stack.start()
        stack.run("before", "up", "--yes", "--skip-preview")
        yield stack
        place.remove()


def predicted(changes: list[Change]) -> dict[str, str]:
    """Operation by logical name; what Pulumi leaves as it is has none."""
    return {
        logical_name(change.after or change.before or {}): change.operation.value
        for change in changes
        if len(change.kept) < len(change.differences)
    }


def seen(preview: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Operation by logical name, and what the CLI says of objects that it cannot do that to."""
    operations = {
        step["urn"].rpartition("::")[2]: step["op"]
        for step in preview["steps"]
        if step["urn"].split("::")[2].startswith("kubernetes:") and step["op"] in OPERATIONS
    }
    errors = {
        one["urn"].rpartition("::")[2]: one["message"]
        for one in preview.get("diagnostics", [])
        if one["severity"] == "error" and one.get("urn")
    }
    return operations, errors


def misses(kind: Kind, changes: list[Change], preview: dict[str, Any]) -> Iterator[str]:
    """Where the CLI does something else than predicted."""
    wanted = predicted(changes)
    operations, errors = seen(preview)
    stopping = {
        logical_name(change.after or change.before or {})
        for change in changes
        if change.blocked
        or (change.operation is not Operation.REPLACE and change.refused and not change.kept)
    }
    for name in sorted(errors.keys() - stopping):
        yield f"{kind.name}: {name}: an error that was not foreseen: {errors[name]}"
    if stopping and not errors:
        yield f"{kind.name}: no error, foreseen were those of {', '.join(sorted(stopping))}"
    for name in sorted(wanted.keys() | operations.keys()):
        # A preview ends at its first error; what it did not come to is not known.
        if name not in operations and errors:
            continue
        if wanted.get(name) != operations.get(name):
            yield f"{kind.name}: {name}: predicted {wanted.get(name)}, seen {operations.get(name)}"


def test_every_prediction_is_what_pulumi_previews(stack: Stack, tmp_path: Path) -> None:
    found = list(all_misses(stack, tmp_path))
    print(f"{len(KINDS)} kinds of change, {len(found)} misses")
    assert not found, "\n".join(found)


def all_misses(stack: Stack, folder: Path) -> Iterator[str]:
    """Of every kind of change."""
    before = rendered(Kind("before"), stack.overrides, folder, stack.folder / "cache")
    for kind in KINDS:
        overrides = values(stack.overrides, kind)
        after = rendered(kind, overrides, folder, stack.folder / "cache")
        changes = compare(before, after)
        preview = stack.preview(kind, overrides)
        lines = [f"  {op:8} {name}" for name, op in sorted(seen(preview)[0].items())]
        lines += [f"  ERROR {name}: {text[:300]}" for name, text in seen(preview)[1].items()]
        found = list(misses(kind, changes, preview))
        print("\n".join([kind.name, *lines, *found]), flush=True)
        yield from found
