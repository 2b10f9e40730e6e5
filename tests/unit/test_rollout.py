"""Reading an update's progress from objects' own status, and the patience with what may recover."""

from typing import Any

import pytest
from airflow_kubernetes.kubectl import wait as waiting
from airflow_kubernetes.kubectl.client import Kubectl
from airflow_kubernetes.kubectl.rollout import Unready, stuck_pods, unready

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


def waiting_pod(
    name: str, owner: str, reason: str, restarts: int = 0, message: str = "because"
) -> Obj:
    state = {"waiting": {"reason": reason, "message": message}}
    status = {"name": "main", "ready": False, "restartCount": restarts, "state": state}
    return obj("Pod", name, owner, status={"containerStatuses": [status]})


def rollout(pod: Obj) -> list[Obj]:
    """A Deployment whose newest pod that is."""
    return [deployment(), replica_set("web-2", "2"), pod]


def stuck(reason: str, restarts: int = 0, message: str = "because") -> Unready:
    """What is said of a Deployment whose pod waits for a reason."""
    pod = waiting_pod("web-2-a", "web-2", reason, restarts, message)
    (found,) = unready(rollout(pod), WEB)
    return found


READY = {"observedGeneration": 2, "updatedReplicas": 1, "replicas": 1, "availableReplicas": 1}
WEB = {("Deployment", "web")}


def test_an_object_that_is_not_there_is_waited_for() -> None:
    assert unready([], WEB) == [Unready("Deployment web", "does not exist yet")]


@pytest.mark.parametrize(
    ("changes", "is_ready"),
    [
        ({}, True),
        ({"observedGeneration": 1}, False),  # no controller has looked at it yet
        ({"replicas": 2}, False),  # old pods still run
    ],
)
def test_a_deployment_is_ready_when_its_newest_pods_are(
    changes: dict[str, int], is_ready: bool
) -> None:
    assert (not unready([deployment(**READY | changes)], WEB)) == is_ready


@pytest.mark.parametrize(("updated", "is_ready"), [(0, False), (1, True)])
def test_a_stateful_set_on_its_old_revision_is_not_ready(updated: int, is_ready: bool) -> None:
    status = {"observedGeneration": 2, "replicas": 1, "readyReplicas": 1}
    status["updatedReplicas"] = updated
    database = obj("StatefulSet", "db", spec={"replicas": 1}, status=status)
    assert (not unready([database], {("StatefulSet", "db")})) == is_ready


def test_a_stuck_pod_of_the_newest_revision_is_a_failure() -> None:
    why = "failed: InvalidImageName: because"
    assert stuck("InvalidImageName") == Unready("Deployment web", why, "web-2-a", "main", 0)


def test_a_stuck_pod_of_an_old_revision_is_none() -> None:
    pod = waiting_pod("web-1-a", "web-1", "ImagePullBackOff")
    found = unready([deployment(), replica_set("web-1", "1"), pod], WEB)
    assert found == [Unready("Deployment web", "no pod yet")]


def test_what_an_update_replaces_is_none_until_the_controller_has_seen_the_update() -> None:
    pod = waiting_pod("web-1-a", "web-1", "InvalidImageName")
    notes = {"deployment.kubernetes.io/revision": "1"}
    web = obj("Deployment", "web", annotations=notes, spec={}, status={"observedGeneration": 1})
    found = unready([web, replica_set("web-1", "1"), pod], WEB)
    assert found == [Unready("Deployment web", "no controller has seen the change yet")]


@pytest.mark.parametrize(("restarts", "patience"), [(1, None), (2, 0)])
def test_one_crash_is_not_a_failure_yet_and_three_are(restarts: int, patience: int | None) -> None:
    assert stuck("CrashLoopBackOff", restarts).patience == patience
    # An init container need not show its back-off.
    pod = waiting_pod("web-2-a", "web-2", "", restarts)
    state = {"terminated": {"reason": "Error", "exitCode": 1}}
    pod["status"]["containerStatuses"][0]["state"] = state
    (item,) = unready(rollout(pod), WEB)
    assert item.patience == patience
    assert item.reason == ("main: Error" if patience is None else "failed: Error: crashed 3 times")


def test_a_container_that_says_that_no_restart_helps_is_a_failure_at_once() -> None:
    pod = waiting_pod("web-2-a", "web-2", "CrashLoopBackOff", 1)
    status = pod["status"]["containerStatuses"][0]
    for code, patience in ((1, None), (78, 0)):
        status["lastState"] = {"terminated": {"reason": "Error", "exitCode": code}}
        (item,) = unready(rollout(pod), WEB)
        assert item.patience == patience
    status["state"], status["restartCount"] = status.pop("lastState"), 0
    (item,) = unready(rollout(pod), WEB)
    assert (item.patience, item.reason) == (0, "failed: Error: crashed")


@pytest.mark.parametrize(
    ("reason", "message", "patience"),
    [
        ("InvalidImageName", "", 0),
        ("ErrImageNeverPull", "", 0),
        ("ErrImagePull", "429 Too Many Requests", 150),
        ("ImagePullBackOff", 'Back-off pulling image "a/b:1"', 150),
        ("ImagePullBackOff", "ErrImagePull: 429 Too Many Requests - toomanyrequests", 150),
        ("ImagePullBackOff", "ErrImagePull: dial tcp: lookup a: no such host", 15),
        ("ImagePullBackOff", "failed to authorize: 401 Unauthorized", 0),
        ("ImagePullBackOff", "pull access denied, repository does not exist", 0),
        ("ImagePullBackOff", "rpc error: code = NotFound desc = failed to pull: not found", 0),
        ("ImagePullBackOff", "reading manifest 1 in a/b: manifest unknown", 0),
        ("CreateContainerConfigError", 'secret "airflow-keys" not found', 30),
        ("ContainerCreating", "", None),
    ],
)
def test_what_may_recover_has_time_for_that(
    reason: str, message: str, patience: float | None
) -> None:
    assert stuck(reason, message=message).patience == patience


class Cluster:
    """Listings of a cluster, one a second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *reasons: str | None) -> None:
        self._reasons, self.seconds = [*reasons], 0.0
        monkeypatch.setattr("time.sleep", lambda _: None)
        monkeypatch.setattr("time.monotonic", lambda: self.seconds)
        monkeypatch.setattr(Kubectl, "get", self.get)
        monkeypatch.setattr(Kubectl, "run", lambda *_, **__: "Warning Failed an event")

    def get(self, *_: object) -> list[Obj]:
        self.seconds += 1
        reason = self._reasons.pop(0) if len(self._reasons) > 1 else self._reasons[0]
        if reason is None:
            return [deployment(**READY)]
        return rollout(waiting_pod("web-2-a", "web-2", reason))


def wait(timeout: float = 900) -> None:
    waiting.wait(Kubectl("c", "n"), [deployment()], timeout)


def test_a_registry_that_refuses_some_pulls_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pulls = ["ErrImagePull", *["ImagePullBackOff"] * 20] * 3
    Cluster(monkeypatch, "ContainerCreating", *pulls, "ContainerCreating", None)
    wait()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "     1 s  0/1 ready; waiting for web (main: ContainerCreating)"
    assert "waiting for web (failed: ImagePullBackOff: because)" in lines[2]
    assert len(lines) == 8, "a line for each change"


def test_one_that_refuses_all_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, *["ErrImagePull", "ImagePullBackOff"] * 100)
    with pytest.raises(waiting.RolloutError, match=r"(?s)web-2-a, container main.*an event"):
        wait()
    assert cluster.seconds == 151


def test_a_name_that_is_none_is_a_failure_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, "InvalidImageName")
    with pytest.raises(waiting.RolloutError, match="Deployment web: failed: InvalidImageName"):
        wait()
    assert cluster.seconds == 1


def test_what_only_needs_time_has_the_whole_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, "ContainerCreating")
    with pytest.raises(waiting.RolloutError, match="not ready after 60 s:\nDeployment web: main"):
        wait(60)
    assert cluster.seconds == 61


def test_a_pod_that_no_node_takes_says_so_while_waiting() -> None:
    condition = {"type": "PodScheduled", "status": "False", "message": "Insufficient cpu"}
    pod = obj("Pod", "web-2-a", "web-2", status={"conditions": [condition]})
    (found,) = unready(rollout(pod), WEB)
    assert found.reason == "not scheduled: Insufficient cpu"


def test_a_failed_job_names_the_container_whose_log_to_read() -> None:
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "m"}
    job = obj("Job", "migrations", status={"conditions": [failed]})
    ended = {"name": "migrations", "state": {"terminated": {"exitCode": 1}}}
    pod = obj("Pod", "migrations-x", "migrations", status={"containerStatuses": [ended]})
    why = "failed: BackoffLimitExceeded: m"
    failure = Unready("Job migrations", why, "migrations-x", "migrations", 0)
    assert unready([job, pod], {("Job", "migrations")}) == [failure]


def test_a_container_that_is_killed_again_and_again_says_so_while_waiting() -> None:
    status = {
        "name": "main",
        "ready": False,
        "restartCount": 9,
        "state": {"running": {}},
        "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
    }
    pod = obj("Pod", "web-2-a", "web-2", status={"containerStatuses": [status]})
    why = "main: starting, restarted 9 times (OOMKilled)"
    expected = Unready("Deployment web", why, "web-2-a", "main")
    assert unready(rollout(pod), WEB) == [expected]


def test_a_quota_that_refuses_pods_is_named() -> None:
    refused = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
    found = unready([deployment(conditions=[refused]), replica_set("web-2", "2")], WEB)
    assert found == [Unready("Deployment web", "exceeded quota")]


def test_a_job_at_work_says_so_while_waiting() -> None:
    container = {"name": "migrations", "ready": True, "state": {"running": {}}}
    status = {"phase": "Running", "containerStatuses": [container]}
    objects = [obj("Job", "migrations"), obj("Pod", "m-x", "migrations", status=status)]
    expected = [Unready("Job migrations", "running")]
    assert unready(objects, {("Job", "migrations")}) == expected


def test_pods_that_cannot_start_are_started_again_those_of_jobs_are_not() -> None:
    reasons = ("CrashLoopBackOff", "ContainerCreating", "ImagePullBackOff", "ErrImagePull")
    pods = [waiting_pod(reason, "web-2", reason) for reason in reasons]
    again = waiting_pod("again", "web-2", "", restarts=1)
    again["status"]["containerStatuses"][0]["state"] = {"running": {}}
    of_job = waiting_pod("job-1", "job", "CrashLoopBackOff")
    for pod in (*pods, again, of_job):
        owner = "Job" if pod is of_job else "ReplicaSet"
        pod["metadata"]["ownerReferences"][0]["kind"] = owner
    assert stuck_pods([*pods, again, of_job]) == {
        "CrashLoopBackOff": "a crash",
        "ImagePullBackOff": "ImagePullBackOff",
        "ErrImagePull": "ErrImagePull",
        "again": "a crash",
    }


def test_a_server_that_runs_and_stays_unready_is_a_failure_in_time() -> None:
    """It may refuse the password of its own Secret; every other pod may wait for a server."""
    container = {"name": "main", "ready": False, "restartCount": 0, "state": {"running": {}}}
    for kind, started, patience in (
        ("StatefulSet", True, 90),
        ("StatefulSet", False, None),  # recovering after a crash
        ("Job", True, None),
    ):
        status = {"containerStatuses": [container | {"started": started}]}
        pod = obj("Pod", "db-0", "db", status=status)
        database = obj(kind, "db", spec={"replicas": 1}, status={})
        (item,) = unready([database, pod], {(kind, "db")})
        assert (item.reason, item.patience) == ("main: starting", patience)


def watched(monkeypatch: pytest.MonkeyPatch, before: Obj, after: Obj) -> str:
    """What a Watch says while a Deployment, whose image is not found, is `before` and `after`."""
    pod = waiting_pod("web-2-a", "web-2", "ImagePullBackOff", message="manifest unknown")
    monkeypatch.setattr(Kubectl, "run", lambda *_, **__: "an event")
    monkeypatch.setattr(Kubectl, "get", lambda *_: [before, replica_set("web-2", "2"), pod])
    watch = waiting.Watch(Kubectl("c", "n"))
    monkeypatch.setattr(Kubectl, "get", lambda *_: [after, replica_set("web-2", "2"), pod])
    try:
        watch()
    except waiting.RolloutError as error:
        return str(error)
    return ""


def test_what_pulumi_waits_for_is_a_failure_as_soon_as_it_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, after = deployment(), deployment()
    # As an earlier `up` left it: this one may be about to correct it.
    assert watched(monkeypatch, before, after) == ""
    after["metadata"]["generation"] = 3
    assert "Deployment web: failed: ImagePullBackOff" in watched(monkeypatch, before, after)


def test_only_the_newest_pod_of_a_job_counts() -> None:
    first, second = (waiting_pod(f"job-{n}", "job", "") for n in (1, 2))
    first["status"]["containerStatuses"][0]["state"] = {"terminated": {"exitCode": 78}}
    second["metadata"]["creationTimestamp"] = "2026-01-01T00:01:00Z"
    (item,) = unready([obj("Job", "job"), first, second], {("Job", "job")})
    assert item.patience is None
