"""Reading an update's progress from objects' own status."""

from typing import Any

from airflow_kubernetes.kubectl.rollout import progress

Obj = dict[str, Any]


def obj(kind: str, name: str, owner: str | None = None, **content: Any) -> Obj:
    metadata: Obj = {
        "name": name,
        "uid": f"uid-{name}",
        "generation": 2,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": content.pop("labels", {}),
        "annotations": content.pop("annotations", {}),
    }
    if owner:
        metadata["ownerReferences"] = [{"uid": f"uid-{owner}"}]
    return {"kind": kind, "metadata": metadata, "spec": content.pop("spec", {}), **content}


def deployment(**status: Any) -> Obj:
    revision = {"deployment.kubernetes.io/revision": "2"}
    return obj("Deployment", "web", annotations=revision, spec={"replicas": 1}, status=status)


def replica_set(name: str, revision: str) -> Obj:
    notes = {"deployment.kubernetes.io/revision": revision}
    return obj("ReplicaSet", name, "web", annotations=notes)


def waiting_pod(name: str, owner: str, reason: str, restarts: int = 0) -> Obj:
    state = {"waiting": {"reason": reason, "message": "because"}}
    status = {"name": "main", "ready": False, "restartCount": restarts, "state": state}
    return obj("Pod", name, owner, status={"containerStatuses": [status]})


READY = {"observedGeneration": 2, "updatedReplicas": 1, "replicas": 1, "availableReplicas": 1}
WEB = {("Deployment", "web")}


def test_a_deployment_is_ready_when_its_newest_pods_are() -> None:
    assert progress([deployment(**READY)], WEB).ready == ("Deployment web",)


def test_a_deployment_that_was_not_looked_at_yet_is_not_ready() -> None:
    assert progress([deployment(**READY | {"observedGeneration": 1})], WEB).ready == ()


def test_a_deployment_whose_old_pods_still_run_is_not_ready() -> None:
    assert progress([deployment(**READY | {"replicas": 2})], WEB).ready == ()


def test_an_object_that_is_not_there_is_waited_for() -> None:
    (trouble,) = progress([], WEB).waiting
    assert (trouble.what, trouble.why) == ("Deployment web", "not there yet")


def test_a_stuck_pod_of_the_newest_revision_is_a_failure() -> None:
    pod = waiting_pod("web-2-a", "web-2", "ImagePullBackOff")
    (failure,) = progress([deployment(), replica_set("web-2", "2"), pod], WEB).failures
    assert (failure.pod, failure.container) == ("web-2-a", "main")
    assert failure.why == "failed: ImagePullBackOff: because"


def test_a_stuck_pod_of_an_old_revision_is_none() -> None:
    pod = waiting_pod("web-1-a", "web-1", "ImagePullBackOff")
    state = progress([deployment(), replica_set("web-1", "1"), pod], WEB)
    assert state.failures == ()
    assert [trouble.why for trouble in state.waiting] == ["no pod yet"]


def test_one_crash_is_not_a_failure_yet_and_three_are() -> None:
    def failures(restarts: int) -> int:
        pod = waiting_pod("web-2-a", "web-2", "CrashLoopBackOff", restarts)
        return len(progress([deployment(), replica_set("web-2", "2"), pod], WEB).failures)

    assert (failures(1), failures(3)) == (0, 1)


def test_a_pod_that_no_node_takes_says_so_while_waiting() -> None:
    condition = {"type": "PodScheduled", "status": "False", "message": "Insufficient cpu"}
    pod = obj("Pod", "web-2-a", "web-2", status={"conditions": [condition]})
    state = progress([deployment(), replica_set("web-2", "2"), pod], WEB)
    assert [trouble.why for trouble in state.waiting] == ["not scheduled: Insufficient cpu"]


def test_a_failed_job_names_the_container_whose_log_to_read() -> None:
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "m"}
    job = obj("Job", "migrations", status={"conditions": [failed]})
    ended = {"name": "migrations", "state": {"terminated": {"exitCode": 1}}}
    pod = obj("Pod", "migrations-x", "migrations", status={"containerStatuses": [ended]})
    (failure,) = progress([job, pod], {("Job", "migrations")}).failures
    assert (failure.pod, failure.container) == ("migrations-x", "migrations")
    assert failure.why == "failed: BackoffLimitExceeded: m"


def test_a_stateful_set_on_its_old_revision_is_not_ready() -> None:
    status = {"observedGeneration": 2, "replicas": 1, "readyReplicas": 1, "updatedReplicas": 0}
    database = obj("StatefulSet", "db", spec={"replicas": 1}, status=status)
    assert progress([database], {("StatefulSet", "db")}).ready == ()
    database["status"]["updatedReplicas"] = 1
    assert progress([database], {("StatefulSet", "db")}).ready == ("StatefulSet db",)


def test_a_container_that_is_killed_again_and_again_says_so_while_waiting() -> None:
    status = {
        "name": "main",
        "ready": False,
        "restartCount": 9,
        "state": {"running": {}},
        "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
    }
    pod = obj("Pod", "web-2-a", "web-2", status={"containerStatuses": [status]})
    (trouble,) = progress([deployment(), replica_set("web-2", "2"), pod], WEB).waiting
    assert trouble.why == "main: starting, restarted 9 times (OOMKilled)"
    assert (trouble.pod, trouble.container) == ("web-2-a", "main")


def test_a_quota_that_refuses_pods_is_named() -> None:
    refused = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
    state = progress([deployment(conditions=[refused]), replica_set("web-2", "2")], WEB)
    assert [trouble.why for trouble in state.waiting] == ["exceeded quota"]


def test_a_job_at_work_says_so_while_waiting() -> None:
    container = {"name": "migrations", "ready": True, "state": {"running": {}}}
    status = {"phase": "Running", "containerStatuses": [container]}
    objects = [obj("Job", "migrations"), obj("Pod", "m-x", "migrations", status=status)]
    (trouble,) = progress(objects, {("Job", "migrations")}).waiting
    assert trouble.why == "running"
