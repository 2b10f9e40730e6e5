"""A real stack: what is predicted of each kind of change against `pulumi preview --json`, and what
the live preview and `make drift` say of it.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow_kubernetes.cli import build
from airflow_kubernetes.cli.drift import DRIFTED, drift, live
from airflow_kubernetes.cli.target import Target
from airflow_kubernetes.comparison.changes import Change, compare
from airflow_kubernetes.comparison.leaves import Difference, dotted
from airflow_kubernetes.environment import load
from airflow_kubernetes.images import lock
from airflow_kubernetes.kubernetes.manifest import logical_name
from airflow_kubernetes.render import objects
from airflow_kubernetes.report.pulumi_preview import Preview

from .conftest import in_namespace
from .kinds_of_change import KINDS, Kind, values
from .pulumi_stack import Stack
from .test_changes import rendered
from .volumes import bound_volumes

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.long,
    pytest.mark.pulumi,
]

OPERATIONS = ("create", "update", "replace", "delete")


@pytest.fixture(scope="module")
def stack(sandbox: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that is up: an Airflow with every component."""
    place = in_namespace("airflow-previews", 30094)
    place.remove()
    folder = tmp_path_factory.mktemp("stack")
    known = lock.path(load("sandbox"))
    (folder / "cache" / known.parent.name).mkdir(parents=True)
    shutil.copy(known, folder / "cache" / known.parent.name)
    with bound_volumes(place, folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        # Into a lock of its own: the sandbox's changes with whatever is built next.
        build.ensure(load("sandbox"))
        overrides = place.overrides.replace("engine=kubectl", "engine=pulumi")
        stack = Stack(folder, values(overrides, Kind("before"), place.namespace))
        stack.start()
        try:
            stack.run("before", "up", "--yes", "--skip-preview")
            yield stack
        finally:
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
        if change.blocked or change.fails
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


@pytest.fixture
def real(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The same stack, for the commands of this checkout."""
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    return stack


def drifted(found: Preview) -> dict[str, list[str]]:
    """The fields that drifted by kind and name of an object; none of one that is gone."""
    assert found.problem is None
    return {
        f"{one.kind} {one.name}": [dotted(each.path) for each in one.differences if one.after]
        for one in found.drift
    }


def told(change: Change) -> tuple[str, str, str, tuple[Difference, ...]]:
    """What a report says of it."""
    return change.operation.value, change.kind, change.name, change.differences


def test_no_change_and_no_drift(real: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    assert live("sandbox", real.overrides) == Preview()
    drift(Target.load("sandbox", real.overrides))
    assert "no drift" in capsys.readouterr().out


def test_one_change_is_that_of_the_offline_report(real: Stack) -> None:
    more = f"{real.overrides} airflow.scheduler.replicas=2"
    found = live("sandbox", more)
    assert found.problem is None
    assert not found.drift
    offline = compare(objects("sandbox", real.overrides), objects("sandbox", more))
    assert list(map(told, found.changes)) == list(map(told, offline))


def test_a_refused_change_is_a_problem_and_no_empty_preview(real: Stack) -> None:
    found = live("sandbox", f"{real.overrides} database.cluster.claim.size=4Gi")
    assert "field can not be less than status.capacity" in str(found.problem)
    assert found.changes


def test_what_was_done_behind_its_back(real: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    place = in_namespace("airflow-previews", 30094)
    place.kubectl("scale", "deployment", "airflow-triggerer", "--replicas=2")
    place.kubectl("patch", "configmap", "airflow-config", "--patch", '{"data": {"ADDED": "x"}}')
    place.kubectl("delete", "service", "airflow-flower")
    rotated = '{"stringData": {"password": "changedByHand"}}'  # which is no drift
    place.kubectl("patch", "secret", "airflow-admin", "--patch", rotated)
    found = live("sandbox", real.overrides)
    assert drifted(found) == {
        "ConfigMap airflow-config": ["data.ADDED"],
        "Deployment airflow-triggerer": ["spec.replicas"],
        "Service airflow-flower": [],
    }
    # What somebody added stays: no change of `up`.
    assert [(one.operation.value, one.kind) for one in found.changes] == [
        ("update", "Deployment"),
        ("create", "Service"),
    ]
    with pytest.raises(SystemExit) as end:
        drift(Target.load("sandbox", real.overrides))
    assert end.value.code == DRIFTED
    assert "Service airflow-flower: is gone" in capsys.readouterr().out
    real.run("before", "up", "--yes", "--skip-preview", "--refresh")
    assert live("sandbox", real.overrides) == Preview()


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("KUBECONFIG", os.devnull, "does not answer"),
        ("PULUMI_CONFIG_PASSPHRASE", "wrong", "the passphrase is wrong"),
        ("PULUMI_BACKEND_URL", "file://{folder}", "the backend has no stack sandbox"),
    ],
)
def test_what_cannot_be_told_is_a_problem(
    real: Stack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    words: str,
) -> None:
    monkeypatch.setenv(variable, value.format(folder=tmp_path))
    found = live("sandbox", real.overrides)
    assert words in str(found.problem)
    assert found == Preview(problem=found.problem)


def test_an_update_under_way_is_a_problem(real: Stack) -> None:
    folder = real.folder / "state/.pulumi/locks/organization/airflow-kubernetes/sandbox"
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / "somebody.json"
    mark.write_text("{}", encoding="utf-8")
    found = live("sandbox", real.overrides)
    mark.unlink()
    assert "is in progress" in str(found.problem)
