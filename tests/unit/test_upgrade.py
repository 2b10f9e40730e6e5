"""What `make upgrade` scales beside the engines, with a cluster that is a list of objects."""

import json
from typing import Any, cast

import pytest
from bundle.commands import live, upgrade
from bundle.commands.target import Target
from bundle.settings.load import load


def deployment(component: str, replicas: int) -> dict[str, Any]:
    labels = {live.COMPONENT: component, live.VERSION: "2.11.2"}
    spec = {"replicas": replicas, "template": {"metadata": {"labels": labels}}}
    return {"metadata": {"name": f"airflow-{component}", "labels": labels}, "spec": spec}


class Cluster:
    """Deployments and one autoscaler; it knows the calls that the upgrade makes."""

    def __init__(self) -> None:
        found = (deployment("scheduler", 2), deployment("worker-default", 5), deployment("web", 1))
        self.deployments = {obj["metadata"]["name"]: obj for obj in found}

    def get(self, kind: str, *_: str) -> list[dict[str, Any]]:
        target = {"name": "airflow-worker-default"}
        scaler = {"spec": {"scaleTargetRef": target, "minReplicas": 3}}
        return {
            "deployments": list(self.deployments.values()),
            "horizontalpodautoscalers": [scaler],
        }[kind]

    def run(self, *args: str) -> str:
        _, _, name, _, patch = args
        self.deployments[name]["spec"] |= json.loads(patch)["spec"]
        return ""

    def replicas(self) -> list[int]:
        return [obj["spec"]["replicas"] for obj in self.deployments.values()]


class Place:
    """As Target: what the upgrade reads of it."""

    def __init__(self) -> None:
        self.kubectl, self.settings = Cluster(), load("dev")


@pytest.fixture
def place() -> Place:
    return Place()


def test_what_runs_tasks_is_stopped_and_scaled_back_if_that_fails(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        assert place.kubectl.replicas() == [0, 0, 1]
        # What an engine brought to the new release already is its business.
        new = place.kubectl.deployments["airflow-web"]["spec"]
        new["template"]["metadata"]["labels"][live.VERSION] = "3.3.2"
        new["replicas"] = 0
        raise KeyboardInterrupt

    monkeypatch.setattr(upgrade, "_wait_until_gone", interrupted)
    here = cast("Target", place)
    with pytest.raises(KeyboardInterrupt), upgrade._undone_on_failure(here, "2.11.2"):
        upgrade.drain(here)
    assert place.kubectl.replicas() == [2, 5, 0]


def test_autoscaled_workers_are_woken_from_zero(place: Place) -> None:
    here = cast("Target", place)
    upgrade._wake(here)
    assert place.kubectl.replicas() == [2, 5, 1]
    place.kubectl.deployments["airflow-worker-default"]["spec"]["replicas"] = 0
    upgrade._wake(here)
    assert place.kubectl.replicas() == [2, 3, 1]


def job(version: str) -> dict[str, Any]:
    template = {"metadata": {"labels": {live.VERSION: version}}}
    done = {"completionTime": "2026-01-01T00:00:00Z"}
    return {"spec": {"template": template}, "status": done}


@pytest.mark.parametrize(
    ("noted", "jobs", "begun", "release"),
    [
        ({}, [job("2.11.2")], False, "2.11.2"),
        ({"from": "2.11.2"}, [job("2.11.2")], True, "2.11.2"),
        ({"from": "2.11.2"}, [], True, "2.11.2"),
        # The command that waited for the migration was interrupted.
        ({"from": "2.11.2", "backup": "b", "heads": "h"}, [job("3.3.2")], False, "3.3.2"),
        # Allowed by hand, while the old release is stopped.
        ({"heads": "h"}, [], True, "2.11.2"),
    ],
)
def test_the_release_of_the_database(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    noted: dict[str, str],
    jobs: list[dict[str, Any]],
    begun: bool,
    release: str,
) -> None:
    found = {
        "configmap": [{"data": noted}] if noted else [],
        "jobs": jobs,
        "deployments": [deployment("scheduler", 0)],
    }
    monkeypatch.setattr(place.kubectl, "get", lambda kind, *_: found[kind])
    here = cast("Target", place)
    assert bool(live.release_change(here)) == begun
    assert live.release(here) == release
