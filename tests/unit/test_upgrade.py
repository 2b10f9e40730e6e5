"""What is known of a release change from what it left in the cluster."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from airflow_kubernetes.cli.installed_release import VERSION, release, release_change
from airflow_kubernetes.cli.target import Target

OLD, NEW = "2.11.2", "3.3.2"


def migration(version: str, ended: str | None) -> dict[str, Any]:
    template = {"metadata": {"labels": {VERSION: version}}}
    status = {} if ended is None else {"completionTime": f"2026-01-01T00:00:{ended}Z"}
    return {"spec": {"template": template}, "status": status}


def target(jobs: list[dict[str, Any]], change: dict[str, str] | None = None) -> Target:
    """A cluster with these migrations and, perhaps, the record of a release change."""
    found = {"jobs": jobs, "configmap": [] if change is None else [{"data": change}]}
    kubectl = SimpleNamespace(get=lambda kind, *_: found.get(kind, []))
    settings = SimpleNamespace(namespace="airflow")
    return cast(Target, SimpleNamespace(kubectl=kubectl, settings=settings))


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([], None),
        ([migration(NEW, None)], None),
        ([migration(NEW, "02"), migration(OLD, "01")], NEW),
        ([migration(NEW, None), migration(OLD, "01")], OLD),
    ],
)
def test_the_last_migration_that_succeeded_counts(
    jobs: list[dict[str, Any]], expected: str | None
) -> None:
    assert release(target(jobs)) == expected


@pytest.mark.parametrize(
    ("noted", "migrated", "goes_on"),
    [
        ({"from": OLD}, OLD, True),
        ({"from": OLD}, None, True),
        ({"from": OLD, "backup": "b", "heads": "h"}, None, True),
        # The command that waited for the migration was interrupted.
        ({"from": OLD, "backup": "b", "heads": "h"}, NEW, False),
        # Allowed manually, while the old release is stopped.
        ({"heads": "h"}, None, True),
    ],
)
def test_a_release_change_ends_with_its_migration(
    noted: dict[str, str], migrated: str | None, goes_on: bool
) -> None:
    jobs = [] if migrated is None else [migration(migrated, "01")]
    assert release_change(target(jobs, noted)) == (noted if goes_on else {})
