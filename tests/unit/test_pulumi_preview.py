"""The JSON of real previews, folded.

tests/unit/previews/ was recorded with `pulumi preview --json --refresh --show-sames` (CLI 3.260,
kubernetes 4.34.2) from a stack that was up, and cut down to a few resources.
"""

import json
from pathlib import Path
from typing import Any

from airflow_kubernetes.comparison.changes import Change
from airflow_kubernetes.comparison.leaves import MISSING, Difference, dotted
from airflow_kubernetes.report.pulumi_preview import UNKNOWN, Preview, _path, parse
from airflow_kubernetes.report.redaction import SECRET


def recorded(name: str) -> dict[str, Any]:
    """The JSON of a preview."""
    file = Path(__file__).parent / "previews" / f"{name}.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def told(changes: tuple[Change, ...]) -> list[str]:
    """Operation, kind and name of each."""
    return [f"{one.operation} {one.kind} {one.name}" for one in changes]


def test_nothing_changed_and_nothing_drifted() -> None:
    assert parse(recorded("same")) == Preview()


def test_changes_of_every_operation() -> None:
    found = parse(recorded("changes"))
    assert told(found.changes) == [
        "update ConfigMap airflow-config",
        "update Deployment airflow-scheduler",
        "replace Job airflow-migrations-15df0eb4",
        "delete Service airflow-flower",
    ]
    config, scheduler, job, service = found.changes
    executor = Difference(
        ("data", "AIRFLOW__CORE__EXECUTOR"),
        "CeleryExecutor,KubernetesExecutor",
        "KubernetesExecutor",
    )
    assert executor in config.differences
    assert Difference(("spec", "replicas"), 1, 2) in scheduler.differences
    assert job.replacing == (("metadata", "name"),)
    assert service.after is None
    assert (found.drift, found.problem) == ((), None)


def test_images_are_told_apart_and_what_is_not_known_yet_says_so() -> None:
    found = parse(recorded("images"))
    assert found.others == (
        "docker-build:index:Image airflow-amd64-image: up would create it",
        "docker-build:index:Index airflow-index: up would create it",
    )
    assert told(found.changes) == ["update ConfigMap airflow-task-images"]
    assert [one.new for one in found.changes[0].differences] == [UNKNOWN]


def test_components_are_no_resources_of_their_own() -> None:
    preview = recorded("same")
    urn = "urn:pulumi:sandbox::airflow-kubernetes::airflow-kubernetes:index:Celery::celery"
    preview["steps"].append({"op": "create", "urn": urn})
    assert parse(preview) == Preview()


def test_drift_is_from_the_state_to_the_cluster() -> None:
    found = parse(recorded("drift"))
    assert told(found.drift) == [
        "update ConfigMap airflow-config",
        "update Deployment airflow-triggerer",
        "delete Service airflow-flower",
    ]
    config, triggerer, _ = found.drift
    assert config.differences == (Difference(("data", "ADDED"), MISSING, "x"),)
    assert triggerer.differences == (Difference(("spec", "replicas"), 1, 2),)
    # `up` takes back what the program sets; what somebody added stays.
    assert told(found.changes) == [
        "update Deployment airflow-triggerer",
        "create Service airflow-flower",
    ]
    assert found.changes[0].differences == (Difference(("spec", "replicas"), 2, 1),)


def test_what_an_autoscaler_set_is_no_drift_but_what_it_started_may_not_be_ready() -> None:
    found = parse(recorded("drift"))
    assert "Deployment airflow-worker-default" not in " ".join(told(found.drift))
    assert found.unready == ("Deployment airflow-worker-default",)


def test_a_preview_that_ended_early_is_a_problem() -> None:
    found = parse(recorded("refused"))
    assert "field can not be less than status.capacity" in str(found.problem)
    assert "KeyboardInterrupt" not in str(found.problem)
    assert told(found.changes) == ["update PersistentVolumeClaim airflow-mysql"]
    assert found.changes[0].fails
    assert found.drift == ()  # of what was not come to, nothing is known


def test_protected_data_that_would_be_lost_is_a_problem() -> None:
    found = parse(recorded("blocked"))
    assert "marked for protection" in str(found.problem)
    assert found.changes[0].blocked


def test_values_of_secrets_are_not_told() -> None:
    preview = recorded("same")
    (step,) = (
        one
        for one in preview["steps"]
        if one["op"] == "same" and one["urn"].endswith("::airflow-admin-secret")
    )
    step["op"], step["detailedDiff"] = "update", {"data.password": {"kind": "update"}}
    (change,) = parse(preview).changes
    assert change.differences == (Difference(("data", "password"), SECRET, SECRET),)


def test_a_failed_job_is_replaced_without_a_difference() -> None:
    preview = recorded("changes")
    (step,) = (one for one in preview["steps"] if one["op"] == "replace")
    step["oldState"] = step["newState"]
    step["replaceReasons"] = ['.metadata.annotations["pulumi.com/replaceUnready"]']
    (job,) = (one for one in parse(preview).changes if one.kind == "Job")
    assert [dotted(path) for path in job.replacing] == [
        'metadata.annotations["pulumi.com/replaceUnready"]'
    ]


def test_paths_as_pulumi_writes_them() -> None:
    assert _path("spec.containers[0].image") == ("spec", "containers", "[0]", "image")
    assert _path('metadata.labels["a.b/c"]') == ("metadata", "labels", "a.b/c")
