"""What is known of a release change from what it left in the cluster."""

from typing import Any

import pytest
from airflow_kubernetes.cli.installed_release import VERSION, last_migration, unfinished


def job(version: str, ended: str | None) -> dict[str, Any]:
    template = {"metadata": {"labels": {VERSION: version}}}
    status = {} if ended is None else {"completionTime": f"2026-01-01T00:00:{ended}Z"}
    return {"spec": {"template": template}, "status": status}


def test_the_last_migration_that_succeeded_counts() -> None:
    assert last_migration([]) is None
    assert last_migration([job("3.3.2", None)]) is None
    assert last_migration([job("3.3.2", "02"), job("2.11.2", "01")]) == "3.3.2"
    assert last_migration([job("3.3.2", None), job("2.11.2", "01")]) == "2.11.2"


@pytest.mark.parametrize(
    ("noted", "migrated", "goes_on"),
    [
        ({"from": "2.11.2"}, "2.11.2", True),
        ({"from": "2.11.2"}, None, True),
        ({"from": "2.11.2", "backup": "b", "heads": "h"}, None, True),
        # The command that waited for the migration was interrupted.
        ({"from": "2.11.2", "backup": "b", "heads": "h"}, "3.3.2", False),
        # Allowed manually, while the old release is stopped.
        ({"heads": "h"}, None, True),
    ],
)
def test_a_release_change_ends_with_its_migration(
    noted: dict[str, str], migrated: str | None, goes_on: bool
) -> None:
    assert unfinished(noted, migrated) == (noted if goes_on else {})
