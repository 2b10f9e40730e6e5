"""The Jobs of a release: migrations and the first user."""

import pytest
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS

from .objects import Objects, env, init, objects, of_kind, pods


def names(rendered: Objects) -> set[str]:
    return {obj["metadata"]["name"] for obj in of_kind(rendered, "Job")}


def test_a_changed_job_is_a_new_object_and_an_unchanged_one_is_not() -> None:
    before = names(objects())
    assert names(objects("database.cluster.maxConnections=300")) == before
    assert not names(objects("database.generation=2")) & before


def test_another_configuration_runs_no_job_again() -> None:
    assert names(objects("airflow.parallelism=7")) == names(objects())


def test_migrations_wait_for_the_server_and_are_guarded() -> None:
    pod = pods(objects())["migrations"]
    assert init(pod) == ["wait-for-migrations", "guard-release"]
    wait, guard = pod["initContainers"]
    assert wait["args"][-1] == "--database-only"
    source = {"name": "airflow-release-change", "key": "heads", "optional": True}
    assert env(guard)["RELEASE_CHANGE_HEADS"] == {"configMapKeyRef": source}
    # An empty database is refused where a release is installed.
    source = {"name": "airflow-release", "key": "release", "optional": True}
    assert env(guard)["INSTALLED_RELEASE"] == {"configMapKeyRef": source}


def test_half_a_migration_is_not_tried_again() -> None:
    (migrations,) = (
        job for job in of_kind(objects(), "Job") if "migrations" in job["metadata"]["name"]
    )
    assert migrations["spec"]["backoffLimit"] == 0
    assert pods(objects())["migrations"]["restartPolicy"] == "Never"


@pytest.mark.parametrize(("version", "roles"), [(CURRENT, ""), (PREVIOUS, "airflow sync-perm && ")])
def test_the_first_user_comes_after_the_roles(version: str, roles: str) -> None:
    pod = pods(objects(f"airflow.version={version}"))["create-admin"]
    (container,) = pod["containers"]
    shell, _, script, _, *command = container["args"]
    assert (shell, command[:3]) == ("sh", ["airflow", "users", "create"])
    assert script.startswith(f"{roles}printf ")
    assert env(container)["AIRFLOW__FAB__UPDATE_FAB_PERMS"] == "True"
    source = {"name": "airflow-admin", "key": "password"}
    assert env(container)["ADMIN_PASSWORD"] == {"secretKeyRef": source}
    assert init(pod) == ["wait-for-migrations"]
